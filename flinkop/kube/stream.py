"""The body of a watch: chunks of bytes to lines to events; pure, does no I/O.

The API server writes one JSON object per line, `{"type": ..., "object": ...}`. Chunk boundaries mean
nothing: a line may come in a thousand pieces, a chunk may hold a thousand lines. A line without its
newline at the end of the stream was cut, and is never decoded.
"""

from collections.abc import Iterator

import msgspec

from flinkop.kube import errors

ADDED = "ADDED"
MODIFIED = "MODIFIED"
DELETED = "DELETED"
BOOKMARK = "BOOKMARK"
ERROR = "ERROR"
TYPES = frozenset({ADDED, MODIFIED, DELETED, BOOKMARK, ERROR})

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one line; etcd takes objects up to 1.5 MiB, but operators of clusters raise that."""


class StreamError(errors.Unreachable):
    """The stream of a watch cannot be read on; resume at the last resourceVersion."""


class WatchEvent(msgspec.Struct, frozen=True, gc=False):
    """One line of a watch.

    Attributes:
        type: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.
        object: the object's JSON; a view into the line, so keep what is decoded from it, not it.
    """

    type: str
    object: msgspec.Raw


class Decoder:
    """Turns the chunks of one stream into events.

    Promises: events come out in order, each once, for any chunking; what came before a broken line
    is delivered before the error; memory is bounded by one line and one chunk.
    """

    def __init__(self, max_line: int = MAX_LINE) -> None:
        self._max_line = max_line
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._decode = msgspec.json.Decoder(WatchEvent).decode

    def feed(self, chunk: bytes) -> Iterator[WatchEvent]:
        """Yield the events that `chunk` completes. Exhaust the iterator before the next call.

        Raises:
            StreamError: a line is no watch event, or is longer than `max_line`.
        """
        *lines, rest = chunk.split(b"\n")
        if lines and self._partial:
            self._partial.append(lines[0])
            lines[0] = b"".join(self._partial)
            self._partial.clear()
            self._partial_size = 0
        for line in lines:
            if len(line) > self._max_line:
                raise self._too_long()
            if line and not line.isspace():
                yield self._event(line)
        if rest:
            self._partial.append(rest)
            self._partial_size += len(rest)
            if self._partial_size > self._max_line:
                raise self._too_long()

    def finish(self) -> None:
        """Say that the stream has ended.

        Raises:
            StreamError: it ended in the middle of a line.
        """
        if self._partial:
            raise StreamError(
                f"the watch was cut after {self._partial_size} bytes of a line", reason="Cut"
            )

    def _event(self, line: bytes) -> WatchEvent:
        try:
            event = self._decode(line)
        except msgspec.DecodeError as error:
            # The text is not shown: a line may hold an object's content.
            raise StreamError(
                f"a line of the watch is not a watch event: {error}", reason="NotAnEvent"
            ) from None
        if event.type not in TYPES:
            raise StreamError(f"unknown watch event type {event.type[:40]!r}", reason="NotAnEvent")
        return event

    def _too_long(self) -> StreamError:
        return StreamError(
            f"a line of the watch is longer than {self._max_line} bytes", reason="LineTooLong"
        )


def error_of(event: WatchEvent) -> errors.ApiError:
    """Return the typed error that an ERROR event carries (410 is Gone)."""
    status = errors.parse_status(event.object)
    if status is None:
        return StreamError("the watch sent an error that is not a Status", reason="NotAStatus")
    return errors.from_status(status)
