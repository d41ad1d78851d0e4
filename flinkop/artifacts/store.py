"""The store of jars: what many jobs want is fetched once, kept while it fits, and given to all.

Promises: a jar stays on disk, unchanged, while anybody is inside its `async with`; what is handed out
was found right by its server after the caller asked for it, or is pinned by its checksum; those who ask
for the same URI on equal terms at the same time share one download; the disk never holds more than its
bound; nothing is left behind. Not promised: any retry but that of a cut connection.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog
from attrs import frozen

from flinkop.artifacts import content, errors, objectstores, partfile, policy
from flinkop.artifacts.fetching import Fetcher, Source
from flinkop.artifacts.flight import Flight
from flinkop.artifacts.localfiles import LocalFiles
from flinkop.artifacts.objectstores import ObjectStores
from flinkop.artifacts.pace import paced
from flinkop.artifacts.partfile import PartFile
from flinkop.artifacts.schemes import Factories, Fetchers
from flinkop.artifacts.shelf import Holding, Kept, Shelf
from flinkop.artifacts.terms import Bounds, Terms
from flinkop.artifacts.uri import JarUri
from flinkop.artifacts.web import WebFetcher
from flinkop.artifacts.workspace import Workspace

_log = structlog.get_logger(__name__)

_EMPTY_NAME: Final = "empty.jar"
_MEND: Final = "Mend the server."


@frozen
class Artifact:
    """A jar to be uploaded.

    Attributes:
        path: the file; nobody may change it.
        name: what to call it, ending in `.jar`.
        size: its bytes.
    """

    path: Path
    name: str
    size: int


@frozen
class _Key:
    """Who may share a file: the same URI, the same pin, equal terms, the headers among them."""

    text: str
    sha256: str | None
    terms: Terms


class ArtifactStore:
    """See the module; made by `open_store`."""

    def __init__(self, bounds: Bounds, fetchers: Fetchers, tasks: asyncio.TaskGroup) -> None:
        self._bounds = bounds
        self._fetchers = fetchers
        self._tasks = tasks
        self._under_way: set[asyncio.Task[None]] = set()
        self._shelf = Shelf(bounds.disk, self._spawn)
        self._slots = asyncio.Semaphore(bounds.downloads)
        self._flights: dict[_Key, Flight[Kept]] = {}
        self._lanes: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()
        self._numbers = itertools.count(1)
        self._workspace: Workspace | None = None
        self._claiming = asyncio.Lock()

    @asynccontextmanager
    async def fetched(self, uri: str | None, terms: Terms) -> AsyncIterator[Artifact]:
        """Have the jar of `uri` on disk for as long as the block lasts.

        Args:
            uri: a session job's `jarURI`; None is an empty jar, for jobs whose classes the cluster has.
            terms: on which terms.

        Raises:
            ArtifactError: it cannot be had.
        """
        if uri is None:
            yield await self._empty()
            return
        jar = policy.admit(uri, terms)
        file = await self._obtain(jar, terms)
        try:
            yield Artifact(file.path, jar.name, file.size)
        finally:
            self._shelf.let_go(file)

    async def prepare(self) -> None:
        """Make the directory ready, and sweep what earlier processes left.

        Raises:
            OSError: it cannot be made; the next fetch tries again.
        """
        async with self._claiming:
            if self._workspace is None:
                self._workspace = await asyncio.to_thread(Workspace.claim, self._bounds.directory)

    def cancel(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()

    async def clean_up(self) -> None:
        """Remove the directory, when nothing is under way any more."""
        if self._workspace is not None:
            await asyncio.to_thread(self._workspace.release)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = self._tasks.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _directory(self, where: str) -> Path:
        try:
            await self.prepare()
        except OSError as error:
            raise partfile.disk_trouble(where, error) from error
        assert self._workspace is not None  # noqa: S101 - prepared
        return self._workspace.path

    async def _empty(self) -> Artifact:
        path = await self._directory("that is empty") / _EMPTY_NAME
        made = content.empty_jar()
        try:
            if not path.exists():
                path.write_bytes(made)
        except OSError as error:
            raise partfile.disk_trouble("that is empty", error) from error
        return Artifact(path, _EMPTY_NAME, len(made))

    async def _obtain(self, jar: JarUri, terms: Terms) -> Kept:
        """Return the file, held for the caller."""
        key = _Key(jar.text, jar.sha256, terms)
        pinned = self._shelf.find(key) if jar.sha256 is not None else None
        if pinned is not None:
            self._shelf.hold(pinned)
            return pinned
        flight = self._flights.get(key)
        if flight is None or not flight.is_boarding:
            flight = self._flights[key] = Flight(self._shelf.hold, self._shelf.let_go)
            flight.start(self._spawn(self._fly(key, jar, flight)))
        try:
            return await flight.wait()
        finally:
            if self._flights.get(key) is flight and not flight.is_boarding:
                del self._flights[key]

    async def _fly(self, key: _Key, jar: JarUri, flight: Flight[Kept]) -> None:
        """Fetch for all who wait; one after the other for one key, so that the later finds the earlier's file."""
        lane = self._lanes.setdefault(key, asyncio.Lock())
        try:
            async with lane, self._slots:
                flight.leave()
                file = await self._renewed(key, jar)
                flight.land(file)
                self._shelf.let_go(file)
        except Exception as error:  # noqa: BLE001 - whoever waits has to hear of it
            flight.fail(error)

    async def _renewed(self, key: _Key, jar: JarUri) -> Kept:
        """Return the file that is on disk if it is still right, else a new one; held for the caller."""
        kept = self._shelf.find(key)
        if kept is None:
            return await self._replaced(key, Source(jar, key.terms), None)
        self._shelf.hold(kept)
        if jar.sha256 is not None:
            return kept
        holding = Holding(kept, self._shelf)
        try:
            return await self._replaced(key, Source(jar, key.terms, kept.freshness), holding)
        finally:
            holding.end()

    async def _replaced(self, key: _Key, source: Source, older: Holding | None) -> Kept:
        """Fetch, and give the older file up as soon as it is known to be out of date: its room may be needed."""
        fetched = await self._fetch(source, older.end if older is not None else _nothing)
        if fetched is None:
            if older is None or not older.is_held:
                raise errors.BadAnswer(
                    source.jar.shown, "the server says that nothing changed, of nothing", _MEND
                )
            self._shelf.hold(older.file)
            return older.file
        self._shelf.hold(fetched)
        if fetched.freshness.tells or source.jar.sha256 is not None:
            self._shelf.put(key, fetched)
        else:
            fetched.retired = True  # nobody could tell whether it is still right
        return fetched

    async def _fetch(self, source: Source, changed: Callable[[], None]) -> Kept | None:
        """Fetch into a new file; None when what is known is still right.

        Args:
            source: what.
            changed: called when it is not, before room is taken for the new one.
        """
        where = source.jar.shown
        fetcher = await self._fetchers.get(source.jar.scheme, where)
        path = await self._directory(where) / f"{next(self._numbers)}.jar"
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with paced(source.terms, where) as timer:
            part = PartFile(path, source, self._shelf.budget, timer, changed)
            try:
                freshness = await fetcher.fetch(source, part)
                if freshness is None:
                    await part.discard()
                    return None
                size = await part.finish()
            except BaseException:
                await part.discard()
                raise
        seconds = round(loop.time() - begun, 3)
        _log.info("Fetched a jar", jar=where, bytes=size, seconds=seconds)
        return Kept(path, size, freshness)


@asynccontextmanager
async def open_store(
    bounds: Bounds, fetchers: Factories | None = None
) -> AsyncIterator[ArtifactStore]:
    """Open the store of this process; fetches that are under way at the end are cancelled.

    Args:
        bounds: its directory and its limits. A directory that cannot be used is logged, and tried again
            by each fetch: an operator without session jobs needs none.
        fetchers: by scheme; None for all that this package has.
    """
    problem: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        own = _own_fetchers(bounds) if fetchers is None else fetchers
        store = ArtifactStore(bounds, Fetchers(own), tasks)
        try:
            await store.prepare()
        except OSError as error:
            _log.warning(f"No directory for jars of session jobs yet: {error}")
        try:
            yield store
        except BaseException as error:  # noqa: BLE001 - raised below, as it is: not in a group's wrapping
            problem = error
        store.cancel()
    await store.clean_up()
    if problem is not None:
        raise problem


def _nothing() -> None:
    """There is nothing to give up."""


def _own_fetchers(bounds: Bounds) -> Factories:
    files: Callable[[], Fetcher] = cache(partial(LocalFiles, bounds.directory))
    web: Callable[[], Fetcher] = cache(WebFetcher)
    objects: Callable[[], Fetcher] = cache(ObjectStores)
    own = {"file": files, "local": files, "http": web, "https": web}
    return own | dict.fromkeys(objectstores.SCHEMES, objects)
