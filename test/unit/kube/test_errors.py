import pytest

from flinkop.kube import errors


def _status(code, reason, **details):
    return errors.from_status(errors.Status("Status", "said", reason, code, details))


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", errors.BadRequest),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Forbidden),
        (404, "NotFound", errors.NotFound),
        (409, "Conflict", errors.Conflict),
        (409, "AlreadyExists", errors.AlreadyExists),
        (410, "Expired", errors.Gone),
        (410, "Gone", errors.Gone),
        (422, "Invalid", errors.Invalid),
        (429, "TooManyRequests", errors.TooManyRequests),
        (500, "InternalError", errors.ServerError),
        (503, "ServiceUnavailable", errors.ServerError),
        (418, "", errors.ApiError),
    ],
)
def test_kinds(code, reason, kind):
    """Each status has its class; the reason tells apart what shares a status."""
    assert type(_status(code, reason)) is kind


def test_plain_text():
    """A proxy's plain text becomes the message, cut short."""
    error = errors.from_response(503, b"upstream is " + b"down " * 1000, "7")
    assert isinstance(error, errors.ServerError)
    assert error.message.startswith("upstream is down")
    assert len(error.message) <= 300
    assert error.retry_after == 7


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'{"kind":"Other"}', b'{"kind":3}', b"null"])
def test_odd_bodies(body):
    """No body breaks the error."""
    error = errors.from_response(500, body)
    assert isinstance(error, errors.ServerError)
    assert error.message


def test_unknown_status():
    """Also statuses that have no name."""
    assert errors.from_response(599, b"").message == "HTTP status 599"
    assert str(errors.from_response(404, b"")) == "Not Found (404)"


def test_http_status_wins():
    """The line's status counts when the body's differs or is missing."""
    error = errors.from_response(429, b'{"kind":"Status","message":"m","reason":"x"}')
    assert isinstance(error, errors.TooManyRequests)


@pytest.mark.parametrize("header", ["soon", "-1", "", None])
def test_retry_after_nonsense(header):
    """An unreadable Retry-After is none."""
    assert errors.from_response(503, b"", header).retry_after is None


def test_retry_after_from_details():
    """The Status may carry the seconds too."""
    assert _status(429, "TooManyRequests", retryAfterSeconds=3).retry_after == 3


def test_type_missing():
    """A 404 without a name means that the type is not served."""
    assert errors.NotFound("x").type_missing
    named = _status(404, "NotFound", name="a")
    assert isinstance(named, errors.NotFound)
    assert not named.type_missing


def test_causes():
    """Causes are listed, broken ones skipped."""
    error = _status(504, "Timeout", causes=[{"reason": "ResourceVersionTooLarge"}, "odd", {}])
    assert error.causes() == ("ResourceVersionTooLarge", "")
    assert _status(504, "Timeout").causes() == ()


def test_transient():
    """Errors say whether trying again can help."""
    assert errors.ServerError("x").transient
    assert errors.Conflict("x").transient
    assert not errors.Invalid("x").transient
    assert not errors.Forbidden("x").transient


def test_text_shows_status_and_reason():
    """What is logged names status and reason."""
    assert str(_status(409, "Conflict")) == "said (409 Conflict)"
    assert str(errors.Unreachable("gone")) == "gone"
