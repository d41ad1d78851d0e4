"""The seam between the store and whoever speaks to a server: one fetch, into one file.

A fetcher serves one or more URI schemes. Those of other schemes are found by entry point: group
`flinkop.artifacts`, the scheme as the name, a callable without arguments that returns a `Fetcher`.
"""

from typing import Protocol

from attrs import frozen

from flinkop.artifacts.terms import Terms
from flinkop.artifacts.uri import JarUri


@frozen
class Freshness:
    """By what a fetcher recognises content that it has fetched before.

    Attributes:
        etag: the server's name for this very content.
        modified: when it changed last, as the server writes it; only where that is exact enough to count.
        place: where it was found in the end, after redirects and without query.
    """

    etag: str | None = None
    modified: str | None = None
    place: str = ""

    @property
    def tells(self) -> bool:
        """Whether it can tell old content from new at all."""
        return bool(self.etag or self.modified)


@frozen
class Source:
    """What is to be fetched.

    Attributes:
        jar: its URI.
        terms: on which terms; the scheme and a literal address have been judged, redirects have not.
        known: content that is on disk already; None when there is none.
    """

    jar: JarUri
    terms: Terms
    known: Freshness | None = None


class Sink(Protocol):
    """Where the bytes go: counts them, holds them against all limits, and writes them to disk."""

    @property
    def received(self) -> int:
        """How many bytes came since `begin`."""
        ...

    async def begin(self, size: int | None) -> None:
        """Start from nothing, also for a second time; waits for room on the disk.

        Args:
            size: how many bytes will come; None when nobody says.

        Raises:
            TooLarge: more than allowed.
            DiskTrouble: the file cannot be made.
        """
        ...

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            TooLarge: more than announced or allowed.
            NotAJar: they are no jar's.
            DiskTrouble: they cannot be written.
        """
        ...


class Fetcher(Protocol):
    """Brings content of its schemes."""

    async def fetch(self, source: Source, sink: Sink) -> Freshness | None:
        """Put the whole content into `sink`, or find that what is known is still right.

        The caller bounds the time and checks what has arrived; a fetcher may be cancelled anywhere, and
        is called by many tasks at once.

        Returns:
            By what the content is recognised later; None when `source.known` is unchanged, and then
            nothing was put into the sink.

        Raises:
            ArtifactError: of any kind.
        """
        ...
