"""What a sink takes, by fetchers that use it well and badly."""

import hashlib

import pytest
from fakes.jars import jar

from flinkop.artifacts import errors
from flinkop.artifacts.fetching import Freshness
from flinkop.artifacts.store import open_store
from flinkop.artifacts.terms import Bounds, Terms

CONTENT = jar(600_000)
TERMS = Terms(allowed_schemes=frozenset({"test"}), max_size=1 << 20)
PIN = hashlib.sha256(CONTENT).hexdigest()


class Scripted:
    """A fetcher that does what the test says with the sink."""

    def __init__(self, act):
        self._act = act

    async def fetch(self, _source, sink):
        """As `Fetcher.fetch`."""
        await self._act(sink)
        return Freshness()


async def fetched(tmp_path, act):
    """Content and name of what is kept after `act`; nothing is taken from the budget afterwards."""
    bounds = Bounds(directory=tmp_path, disk=2 << 20)
    async with open_store(bounds, {"test": lambda: Scripted(act)}) as store:
        budget = store._shelf.budget
        try:
            async with store.fetched(f"test://h/a.jar#sha256={PIN}", TERMS) as artifact:
                assert budget.free == budget.size - artifact.size
                return artifact.path.read_bytes()
        finally:
            kept = sum(path.stat().st_size for path in artifact_files(tmp_path))
            assert budget.free == budget.size - kept


def artifact_files(tmp_path):
    """What is on disk."""
    return list(tmp_path.glob("flinkop-*/*.jar"))


@pytest.mark.parametrize("size", [1, 100, 511, 100_000, 10_000_000])
@pytest.mark.parametrize("announced", [None, len(CONTENT)])
async def test_pieces_of_any_size(tmp_path, size, announced):
    """What is kept is what came."""
    cut = CONTENT[: min(len(CONTENT), 3000 * size)]

    async def act(sink):
        await sink.begin(announced)
        for start in range(0, len(cut), size):
            await sink.write(cut[start : start + size])
        assert sink.received == len(cut)
        await sink.write(CONTENT[len(cut) :])

    assert await fetched(tmp_path, act) == CONTENT


async def test_starting_anew(tmp_path):
    """What came before is forgotten, on disk, in the count and in the checksum."""

    async def act(sink):
        await sink.begin(700_000)
        await sink.write(jar(500_000, seed=7))
        await sink.begin(None)
        assert sink.received == 0
        await sink.write(jar(700_000, seed=7))
        await sink.begin(len(CONTENT))
        await sink.write(CONTENT)

    assert await fetched(tmp_path, act) == CONTENT


async def test_fewer_than_announced(tmp_path):
    """A jar that ends before the announced number of bytes is no jar."""

    async def act(sink):
        await sink.begin(len(CONTENT))
        await sink.write(CONTENT[:-1])

    with pytest.raises(errors.CutOff, match=f"{len(CONTENT) - 1} of {len(CONTENT)} announced"):
        await fetched(tmp_path, act)


async def test_more_than_announced(tmp_path):
    """A server that sends more lied about the size."""

    async def act(sink):
        await sink.begin(len(CONTENT) - 1)
        await sink.write(CONTENT)

    with pytest.raises(errors.TooLarge, match=f"more than the {len(CONTENT) - 1} announced"):
        await fetched(tmp_path, act)


async def test_a_page_is_known_by_its_beginning(tmp_path):
    """What is no jar is refused before the rest of it comes."""
    calls = []

    async def act(sink):
        await sink.begin(None)
        for _ in range(10):
            calls.append(1)
            await sink.write(b"<html>" * 50)

    with pytest.raises(errors.NotAJar, match="web page"):
        await fetched(tmp_path, act)
    assert len(calls) == 2


async def test_an_empty_file(tmp_path):
    """It is told as one."""

    async def act(sink):
        await sink.begin(0)

    with pytest.raises(errors.NotAJar, match="an empty file"):
        await fetched(tmp_path, act)
