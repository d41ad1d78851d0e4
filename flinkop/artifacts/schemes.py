"""Which fetcher serves a URI scheme; one that nobody asks for is never imported."""

import asyncio
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Final

from flinkop.artifacts import errors
from flinkop.artifacts.fetching import Fetcher

GROUP: Final = "flinkop.artifacts"
"""The entry-point group of further schemes."""


class MissingExtraError(ImportError):
    """A fetcher of this package needs an extra of it that is not installed."""


Factories = Mapping[str, Callable[[], Fetcher]]


class Fetchers:
    """Fetchers by scheme, each made once: those of this package first, then those of entry points."""

    def __init__(self, own: Factories) -> None:
        self._own = own
        self._made: dict[str, Fetcher] = {}

    async def get(self, scheme: str, where: str) -> Fetcher:
        """Return the fetcher of a scheme.

        Args:
            scheme: in lower case.
            where: the jar's place, for messages.

        Raises:
            NoFetcher: nothing that is installed reads it.
        """
        found = self._made.get(scheme)
        if found is None:
            found = self._made[scheme] = await asyncio.to_thread(self._make, scheme, where)
        return found

    def _make(self, scheme: str, where: str) -> Fetcher:
        make = self._own.get(scheme)
        if make is not None:
            return _made(make, scheme, where)
        for point in metadata.entry_points(group=GROUP, name=scheme):
            try:
                made: Fetcher = point.load()()
            except Exception as error:
                raise errors.NoFetcher(
                    where,
                    f"the plug-in for '{scheme}', {point.value}, does not load: {error}",
                    "Mend or remove it in the operator's image.",
                ) from error
            return made
        raise errors.NoFetcher(
            where,
            f"nothing in this operator reads '{scheme}'",
            f"Use one of {', '.join(sorted(self._own))}, or install a package with an entry point "
            f"'{scheme}' in the group {GROUP}.",
        )


def _made(make: Callable[[], Fetcher], scheme: str, where: str) -> Fetcher:
    try:
        return make()
    except MissingExtraError as missing:
        raise errors.NoFetcher(
            where,
            f"'{scheme}' needs the extra '{missing}', which is not installed",
            f"Install flinkop[{missing}] in the operator's image.",
        ) from missing
