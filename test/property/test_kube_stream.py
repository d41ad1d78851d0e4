import itertools

from fakes.scriptedapi import event
from hypothesis import given, strategies as st

from flinkop.kube import stream

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]),
        st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4),
    ),
    max_size=12,
)


def _chunks(body, cuts):
    edges = [0, *sorted({min(cut, len(body)) for cut in cuts}), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


@given(EVENTS, st.lists(st.integers(0, 600), max_size=20))
def test_any_chunking(events, cuts):
    """However the bytes are cut into chunks, the same events come out."""
    lines = [event(kind, obj) for kind, obj in events]
    decoder = stream.Decoder()
    found = [
        (e.type, bytes(e.object))
        for chunk in _chunks(b"".join(lines), cuts)
        for e in decoder.feed(chunk)
    ]
    decoder.finish()
    whole = stream.Decoder()
    assert found == [(e.type, bytes(e.object)) for line in lines for e in whole.feed(line)]
    assert len(found) == len(events)


@given(EVENTS.filter(bool), st.integers(1, 10_000))
def test_any_cut(events, back):
    """A stream cut anywhere gives its whole lines, then says that it was cut, or ends at a boundary."""
    lines = [event(kind, obj) for kind, obj in events]
    body = b"".join(lines)
    kept = body[: max(0, len(body) - back)]
    decoder = stream.Decoder()
    found = list(decoder.feed(kept))
    assert len(found) == kept.count(b"\n")
    cut = False
    try:
        decoder.finish()
    except stream.StreamError:
        cut = True
    assert cut == (kept != b"" and not kept.endswith(b"\n"))


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_garbage(chunks):
    """Whatever the bytes are, the decoder yields events or raises StreamError, nothing else."""
    decoder = stream.Decoder(max_line=500)
    try:
        for chunk in chunks:
            assert all(e.type in stream.TYPES for e in decoder.feed(chunk))
        decoder.finish()
    except stream.StreamError:
        pass
