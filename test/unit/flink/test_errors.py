"""Errors: which answer becomes which error, and who tries again."""

import pytest

from flinkop.flink import errors
from flinkop.flink.errors import Retry


@pytest.mark.parametrize(
    ("status", "body", "kind", "retry"),
    [
        (404, b'{"errors":["Job 0a1b not found"]}', errors.JobNotFound, Retry.NEVER),
        (404, b'{"errors":["Job could not be found."]}', errors.JobNotFound, Retry.NEVER),
        (404, b'{"errors":["Could not find Flink job (0a1b)"]}', errors.JobNotFound, Retry.NEVER),
        (
            404,
            b'{"errors":["Operation not found under key: x@job1"]}',
            errors.NotFound,
            Retry.NEVER,
        ),
        (
            404,
            b'{"errors":["Savepoint not found. trigger id: 1, job id: 2"]}',
            errors.NotFound,
            Retry.NEVER,
        ),
        (404, b'{"errors":["Checkpointing has not been enabled."]}', errors.NotFound, Retry.NEVER),
        (409, b'{"errors":["no"]}', errors.Conflict, Retry.NEVER),
        (503, b"no endpoints available", errors.Unavailable, Retry.IN_CALL),
        (
            500,
            b'{"errors":["Internal server error.","<Exception>"]}',
            errors.HttpError,
            Retry.LATER,
        ),
    ],
)
def test_status_and_text_make_the_error(status, body, kind, retry):
    """Each answer that is not 2xx becomes the error that says how it is retried."""
    error = errors.from_answer(status, body)
    assert type(error) is kind
    assert error.retry is retry
    assert error.status == status


def test_texts_are_joined():
    """Flink's list of errors becomes one text, as S-4 wants."""
    assert errors.from_answer(500, b'{"errors":["a","b"]}').text == "a\nb"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"[]", b'{"errors": 3}', b"<html>" + b"x" * 100_000]
)
def test_any_body_is_an_error(body):
    """A body that is not Flink's still makes an error, and a short one."""
    error = errors.from_answer(502, body)
    assert error.status == 502
    assert len(str(error)) < 20_000


def test_absence():
    """Timeouts, refused connections and 503 all mean that nobody is there; a 404 does not."""
    assert errors.is_absent(errors.Timeout("late"))
    assert errors.is_absent(errors.Unreachable("refused", sent=False))
    assert errors.is_absent(errors.from_answer(503, b""))
    assert not errors.is_absent(errors.from_answer(404, b""))
    assert not errors.is_absent(ValueError())
