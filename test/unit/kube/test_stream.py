import pytest
from fakes.scriptedapi import event

from flinkop.kube import errors, stream


def _all(decoder, *chunks):
    return [(e.type, bytes(e.object)) for chunk in chunks for e in decoder.feed(chunk)]


def test_lines():
    """Each line is one event; blank lines between are nothing."""
    body = event("ADDED", {"a": 1}) + b"\n\r\n" + event("BOOKMARK", {})
    decoder = stream.Decoder()
    assert _all(decoder, body) == [("ADDED", b'{"a":1}'), ("BOOKMARK", b"{}")]
    decoder.finish()


def test_cut_in_the_middle():
    """A line without its end is an error, and is never decoded, complete JSON or not."""
    decoder = stream.Decoder()
    assert _all(decoder, event("ADDED", {}).rstrip()) == []
    with pytest.raises(stream.StreamError, match="cut after") as caught:
        decoder.finish()
    assert caught.value.reason == "Cut"


def test_what_came_before_is_delivered():
    """Events before a broken line come out first."""
    decoder = stream.Decoder()
    found = decoder.feed(event("ADDED", {}) + b"upstream connect error\n")
    assert next(found).type == "ADDED"
    with pytest.raises(stream.StreamError, match="not a watch event"):
        next(found)


@pytest.mark.parametrize(
    "line",
    [b"service unavailable\n", b"[]\n", b'{"type":1,"object":{}}\n', b'{"type":"ADDED"}\n', b"{\n"],
)
def test_not_an_event(line):
    """Plain text and other JSON raise."""
    with pytest.raises(stream.StreamError):
        list(stream.Decoder().feed(line))


def test_unknown_type():
    """A type that nobody knows raises rather than being dropped."""
    with pytest.raises(stream.StreamError, match="unknown watch event type"):
        list(stream.Decoder().feed(event("CHANGED", {})))


def test_content_stays_out_of_errors():
    """A broken line's content is not shown: it may be an object's."""
    with pytest.raises(stream.StreamError) as caught:
        list(stream.Decoder().feed(b'{"type":"ADDED","object":{"password":"hunter2"\n'))
    assert "hunter2" not in str(caught.value)


def test_long_lines():
    """A line of the largest size is taken in pieces; a longer one raises before it fills the memory."""
    line = event("ADDED", {"x": "y" * 1000})
    fits = stream.Decoder(max_line=len(line))
    assert len(_all(fits, *(line[i : i + 7] for i in range(0, len(line), 7)))) == 1
    for chunks in ([line], [line[:500], line[500:]], [line[:-1]]):
        with pytest.raises(stream.StreamError, match="longer than 900") as caught:
            _all(stream.Decoder(max_line=900), *chunks)
        assert caught.value.reason == "LineTooLong"


def test_sixteen_mebibytes():
    """An object far above etcd's default limit is taken."""
    line = event("ADDED", {"x": "y" * (15 * 1024 * 1024)})
    assert len(_all(stream.Decoder(), line)) == 1


def test_errors_inside():
    """An ERROR event carries a Status, typed like an answer's."""
    (gone,) = stream.Decoder().feed(
        event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    )
    assert isinstance(stream.error_of(gone), errors.Gone)
    (odd,) = stream.Decoder().feed(event("ERROR", {"kind": "Pod"}))
    assert isinstance(stream.error_of(odd), stream.StreamError)
