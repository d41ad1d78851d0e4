"""The store, with a fetcher whose every step the test decides."""

import asyncio
import hashlib
import logging
from pathlib import Path

import pytest
from attrs import define, evolve, field
from fakes.jars import jar

from flinkop.artifacts import errors
from flinkop.artifacts.fetching import Freshness
from flinkop.artifacts.store import open_store
from flinkop.artifacts.terms import Bounds, Terms

TERMS = Terms(allowed_schemes=frozenset({"test"}))


@define(eq=False, slots=False)
class Server:
    """Serves contents by URI; each fetch may be held up before it answers and before it ends."""

    contents: dict[str, bytes | Exception] = field(factory=dict)
    tells: bool = True
    announces: bool = True
    asked: list[tuple[str, Freshness | None]] = field(factory=list)
    at_work: int = 0
    most_at_work: int = 0
    answer: asyncio.Event = field(factory=asyncio.Event)
    end: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self):
        self.answer.set()
        self.end.set()

    async def fetch(self, source, sink):
        """As `Fetcher.fetch`."""
        self.asked.append((source.jar.text, source.known))
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await self.answer.wait()
            content = self.contents[source.jar.text]
            if isinstance(content, Exception):
                raise content
            tag = Freshness(hashlib.sha256(content).hexdigest()) if self.tells else Freshness()
            if source.known is not None and tag == source.known:
                return None
            await sink.begin(len(content) if self.announces else None)
            await sink.write(content[:1000])
            await self.end.wait()
            await sink.write(content[1000:])
            return tag
        finally:
            self.at_work -= 1

    @property
    def downloads(self):
        """How often nothing was known before."""
        return sum(known is None for _, known in self.asked)


@pytest.fixture
def server():
    """A server with one jar."""
    return Server({"test://h/a.jar": jar()})


def opened(tmp_path, server, **bounds):
    """A store that fetches from the server."""
    return open_store(Bounds(directory=tmp_path, **bounds), {"test": lambda: server})


async def used(store, uri="test://h/a.jar", terms=TERMS):
    """Fetch, use and return the content."""
    async with store.fetched(uri, terms) as artifact:
        return artifact.path.read_bytes()


async def settled():
    """Let everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


def files(tmp_path):
    """Names of what is kept."""
    return sorted(path.name for path in tmp_path.glob("flinkop-*/*.jar"))


async def until(condition):
    """Wait for what another task or thread does."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - threads take part
            await asyncio.sleep(0.001)


async def test_the_file(tmp_path, server):
    """It is there inside the block, named by a number and not by the URI, and gone with the store."""
    server.contents["test://h/../../evil.jar"] = jar()
    async with (
        opened(tmp_path, server) as store,
        store.fetched("test://h/../../evil.jar", TERMS) as artifact,
    ):
        assert artifact.path.read_bytes() == jar()
        assert artifact.size == len(jar())
        assert artifact.name == "evil.jar"
        assert artifact.path.name == "1.jar"
        assert artifact.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".flinkop-lock"]


async def test_no_uri(tmp_path, server):
    """A job without a jar gets an empty one."""
    async with opened(tmp_path, server) as store:
        for _ in range(2):
            async with store.fetched(None, TERMS) as artifact:
                assert artifact.name == "empty.jar"
                assert artifact.path.stat().st_size == artifact.size
    assert server.asked == []


async def test_many_at_once(tmp_path, server):
    """Who asks before the request goes out shares it; who asks later gets by with a look whether it is still right."""
    async with opened(tmp_path, server) as store:
        server.answer.clear()
        async with asyncio.TaskGroup() as group:
            early = [group.create_task(used(store)) for _ in range(50)]
            await until(lambda: server.at_work)
            late = [group.create_task(used(store)) for _ in range(50)]
            await settled()
            server.answer.set()
        assert {task.result() for task in early + late} == {jar()}
        assert (server.downloads, len(server.asked)) == (1, 2)
        assert files(tmp_path) == ["1.jar"]


async def test_a_change_while_it_is_fetched(tmp_path, server):
    """Who asks after a change gets what is there after it, although an earlier fetch is under way."""
    async with opened(tmp_path, server) as store, asyncio.TaskGroup() as group:
        server.end.clear()
        early = group.create_task(used(store))
        await until(lambda: files(tmp_path))
        server.contents["test://h/a.jar"] = jar(seed=2)
        late = group.create_task(used(store))
        await settled()
        server.end.set()
        assert (await early, await late) == (jar(), jar(seed=2))


async def test_a_new_version(tmp_path, server):
    """The old file stays for who uses it, and goes with the last of them."""
    async with opened(tmp_path, server) as store:
        async with store.fetched("test://h/a.jar", TERMS) as old:
            server.contents["test://h/a.jar"] = jar(seed=2)
            assert await used(store) == jar(seed=2)
            assert old.path.read_bytes() == jar()
            assert files(tmp_path) == ["1.jar", "2.jar"]
        await until(lambda: files(tmp_path) == ["2.jar"])
        assert await used(store) == jar(seed=2)
        assert server.downloads == 1


async def test_a_server_that_cannot_tell(tmp_path, server):
    """Without anything to tell new from old, each wish is a download, and only the last file is kept."""
    server.tells = False
    async with opened(tmp_path, server) as store:
        for _ in range(3):
            assert await used(store) == jar()
        assert server.downloads == 3
        await until(lambda: store._shelf.budget.free == store._shelf.budget.size)
        assert files(tmp_path) == []


async def test_a_new_version_when_there_is_room_for_one(tmp_path, server):
    """The old file makes room for the new one once it is known to be out of date."""
    async with opened(tmp_path, server, disk=len(jar()) + 100) as store:
        for seed in (1, 2, 3):
            server.contents["test://h/a.jar"] = jar(seed=seed)
            assert await used(store) == jar(seed=seed)
        assert await used(store) == jar(seed=3)
        assert server.downloads == 1


async def test_a_pinned_jar_does_not_wait_for_downloads(tmp_path, server):
    """What is on disk and right for sure is there at once, whoever is downloading."""
    pinned = f"test://h/a.jar#sha256={hashlib.sha256(jar()).hexdigest()}"
    server.contents["test://h/b.jar"] = jar(seed=2)
    async with opened(tmp_path, server, downloads=1) as store, asyncio.TaskGroup() as group:
        await used(store, pinned)
        server.end.clear()
        other = group.create_task(used(store, "test://h/b.jar"))
        await until(lambda: server.at_work)
        assert await used(store, pinned) == jar()
        server.end.set()
        await other


async def test_unchanged_after_a_beginning(tmp_path, server):
    """A fetcher that began to bring something new cannot take that back: the old may be gone."""
    fetch = server.fetch

    async def undecided(source, sink):
        if source.known is None:
            return await fetch(source, sink)
        await sink.begin(10)
        return None

    server.fetch = undecided
    async with opened(tmp_path, server) as store:
        await used(store)
        with pytest.raises(errors.BadAnswer, match="nothing changed, of nothing"):
            await used(store)


async def test_a_pin(tmp_path, server):
    """What is pinned is fetched once, and no other content passes."""
    pinned = f"test://h/a.jar#sha256={hashlib.sha256(jar()).hexdigest()}"
    async with opened(tmp_path, server) as store:
        for _ in range(3):
            assert await used(store, pinned) == jar()
        assert len(server.asked) == 1
        wrong = "test://h/a.jar#sha256=" + "0" * 64
        with pytest.raises(errors.WrongChecksum, match=f"pins {'0' * 64}") as caught:
            await used(store, wrong)
        assert not caught.value.retryable
        assert files(tmp_path) == ["1.jar"]


async def test_terms_are_part_of_it(tmp_path, server):
    """Who sends other headers does not get what somebody else was let have."""
    async with opened(tmp_path, server) as store:
        await used(store)
        await used(store, terms=evolve(TERMS, headers=(("A", "1"),)))
        assert server.downloads == 2
        assert len(files(tmp_path)) == 2


async def test_failures_are_shared_and_not_kept(tmp_path, server):
    """All who wait hear why; the next one tries again, and nothing is left on the disk."""
    server.contents["test://h/a.jar"] = errors.Missing("x", "gone", "Put it there.")
    async with opened(tmp_path, server) as store:
        got = [asyncio.ensure_future(used(store)) for _ in range(3)]  # noqa: TID251
        done, _ = await asyncio.wait(got)
        assert all(isinstance(one.exception(), errors.Missing) for one in done)
        assert len(server.asked) == 1
        server.contents["test://h/a.jar"] = jar()[:-100]
        with pytest.raises(errors.CutOff):
            await used(store)
        assert files(tmp_path) == []
        server.contents["test://h/a.jar"] = jar()
        assert await used(store) == jar()


async def test_a_fetcher_with_a_fault(tmp_path, server):
    """Whatever a plug-in raises reaches who asked, and the store lives on."""
    server.contents["test://h/a.jar"] = ZeroDivisionError("a fault")
    async with opened(tmp_path, server) as store:
        with pytest.raises(ZeroDivisionError, match="a fault"):
            await used(store)
        server.contents["test://h/a.jar"] = jar()
        assert await used(store) == jar()


async def test_giving_up(tmp_path, server):
    """A fetch goes on while one waits for it, and ends with the last; nothing of it stays."""
    async with opened(tmp_path, server) as store, asyncio.TaskGroup() as group:
        server.end.clear()
        first, second = (group.create_task(used(store)) for _ in range(2))
        await until(lambda: files(tmp_path))
        first.cancel()
        await settled()
        assert server.at_work == 1
        second.cancel()
        await until(lambda: store._shelf.budget.free == store._shelf.budget.size)
        assert files(tmp_path) == []
        assert server.at_work == 0
        server.end.set()
        assert await used(store) == jar()


async def test_giving_up_at_once(tmp_path, server):
    """Whoever is cancelled before anything began leaves no trace."""
    async with opened(tmp_path, server) as store, asyncio.TaskGroup() as group:
        task = group.create_task(used(store))
        await asyncio.sleep(0)
        task.cancel()
        await settled()
        assert store._flights == {}
        assert await used(store) == jar()


async def test_cancelled_at_the_moment_of_landing(tmp_path, server, monkeypatch):
    """Nobody keeps a file that nobody uses."""
    async with opened(tmp_path, server, disk=2 * len(jar())) as store:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(used(store))
            await asyncio.sleep(0)
            (flight,) = store._flights.values()
            land = flight.land

            def land_and_cancel(file):
                land(file)
                task.cancel()

            monkeypatch.setattr(flight, "land", land_and_cancel)
        assert task.cancelled()
        assert [kept.users for kept in store._shelf._files.values()] == [0]


async def test_bounded_downloads(tmp_path, server):
    """No more than so many at a time; the others wait."""
    server.contents = {f"test://h/{n}.jar": jar(seed=n) for n in range(10)}
    async with opened(tmp_path, server, downloads=3) as store, asyncio.TaskGroup() as group:
        server.end.clear()
        tasks = [group.create_task(used(store, uri)) for uri in server.contents]
        await until(lambda: server.at_work == 3)
        await settled()
        server.end.set()
        assert [await task for task in tasks] == list(server.contents.values())
        assert server.most_at_work == 3


@pytest.mark.parametrize("announces", [True, False])
async def test_bounded_disk(tmp_path, server, announces):
    """What is longest unused makes room; what is in use stays, and newcomers wait for it."""
    server.announces = announces
    server.contents = {f"test://h/{n}.jar": jar(1000, n) for n in range(5)}
    size = len(jar(1000, 0))
    terms = evolve(TERMS, max_size=size + 5)
    uris = list(server.contents)
    async with opened(tmp_path, server, disk=2 * size + 10) as store:
        async with store.fetched(uris[0], terms):
            await used(store, uris[1], terms)
            await used(store, uris[2], terms)
            assert files(tmp_path) == ["1.jar", "3.jar"]
            async with asyncio.TaskGroup() as group:
                async with store.fetched(uris[3], terms):
                    waits = group.create_task(used(store, uris[4], terms))
                    await until(lambda: len(server.asked) == 5)
                    await settled()
                    assert not waits.done()
                    assert files(tmp_path) == ["1.jar", "4.jar"]
                assert await waits == server.contents[uris[4]]
        used_bytes = sum(path.stat().st_size for path in tmp_path.glob("flinkop-*/*.jar"))
        assert used_bytes == store._shelf.budget.size - store._shelf.budget.free


async def test_a_file_that_is_looked_at_stays(tmp_path, server):
    """While its server is asked whether it is still right, it makes no room for others."""
    server.contents["test://h/b.jar"] = jar(seed=2)
    async with opened(tmp_path, server, disk=len(jar()) + 100) as store:
        await used(store)
        async with asyncio.TaskGroup() as group:
            server.answer.clear()
            first = group.create_task(used(store))
            second = group.create_task(used(store, "test://h/b.jar"))
            await until(lambda: server.at_work == 2)
            server.answer.set()
            assert await first == jar()
            assert await second == jar(seed=2)


@pytest.mark.parametrize("announces", [True, False])
async def test_too_large(tmp_path, server, announces):
    """A jar above the limit is refused, announced or not, and the message says how to let it in."""
    server.announces = announces
    terms = evolve(TERMS, max_size=1500)
    async with opened(tmp_path, server) as store:
        with pytest.raises(errors.TooLarge, match=r"1500 bytes.*artifacts\.max-size") as caught:
            await used(store, terms=terms)
        assert not caught.value.retryable
        assert files(tmp_path) == []
        assert store._shelf.budget.free == store._shelf.budget.size
    async with opened(tmp_path, server, disk=1000) as store:
        with pytest.raises(errors.TooLarge, match=r"1000 bytes.*artifacts\.cache-size"):
            await used(store)


async def test_refusals_cost_nothing(tmp_path, server):
    """What the policy refuses is not even looked up."""
    async with opened(tmp_path, server) as store:
        with pytest.raises(errors.RefusedScheme):
            await used(store, terms=Terms())
    assert server.asked == []


async def test_nothing_changed_of_nothing(tmp_path, server):
    """A server that calls unknown content unchanged has no file to give."""

    async def fetch(_source, _sink):
        return None

    server.fetch = fetch
    async with opened(tmp_path, server) as store:
        with pytest.raises(errors.BadAnswer, match="nothing changed, of nothing"):
            await used(store)


async def test_a_fetcher_that_brings_nothing(tmp_path, server):
    """It is not taken for an empty jar."""

    async def fetch(_source, _sink):
        return Freshness("x")

    server.fetch = fetch
    async with opened(tmp_path, server) as store:
        with pytest.raises(errors.BadAnswer, match="nothing came"):
            await used(store)


async def test_a_directory_that_cannot_be_used(tmp_path, server, caplog):
    """The operator starts all the same, each fetch says what is wrong, and a mended one is taken up."""
    base = tmp_path / "base"
    base.write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        async with opened(base, server) as store:
            for uri in ("test://h/a.jar", None):
                with pytest.raises(errors.DiskTrouble, match=r"base\.dir") as caught:
                    await used(store, uri)
                assert caught.value.retryable
            base.unlink()
            assert await used(store) == jar()


async def test_a_full_disk(tmp_path, server, monkeypatch):
    """It is told as what it is."""

    def write(*_):
        raise OSError(28, "No space left on device")

    async with opened(tmp_path, server) as store:
        monkeypatch.setattr("os.write", write)
        with pytest.raises(errors.DiskTrouble, match=r"disk is full.*cache-size"):
            await used(store)
        monkeypatch.undo()
        assert store._shelf.budget.free == store._shelf.budget.size


async def test_the_end(tmp_path, server):
    """What is under way at the end is given up, and its directory removed; errors pass as they are."""
    server.end.clear()
    with pytest.raises(KeyError, match="mine"):
        await closed_early(tmp_path, server)
    assert [path.name for path in tmp_path.iterdir()] == [".flinkop-lock"]


async def closed_early(tmp_path, server):
    """Leave the store while somebody waits, who hears of it."""
    async with opened(tmp_path, server) as store:
        left = asyncio.ensure_future(used(store))  # noqa: TID251
        await until(lambda: files(tmp_path))
        left.add_done_callback(lambda task: task.exception())
        raise KeyError("mine")


async def test_path_of_a_relative_base(tmp_path, server, monkeypatch):
    """A relative base works too."""
    monkeypatch.chdir(tmp_path)
    async with opened(Path("jars"), server) as store:
        assert await used(store) == jar()
