"""How long a fetch may go on."""

import asyncio
import itertools

import pytest

from flinkop.artifacts import errors
from flinkop.artifacts.pace import paced
from flinkop.artifacts.terms import Terms

pytestmark = pytest.mark.virtual_time
TERMS = Terms(idle_timeout=30, download_timeout=600, min_speed=1000)


def now():
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def stream(terms, *counts, every, then=None):
    """A fetch to which, `every` so many seconds, so many bytes come, in the end `then` again and again."""
    async with paced(terms, "x") as timer:
        for count in counts if then is None else itertools.chain(counts, itertools.repeat(then)):
            await asyncio.sleep(every)
            timer.received(count)
        await asyncio.sleep(1000)


async def rest(seconds):
    """A fetch that waits for the disk, and then for its server."""
    async with paced(TERMS, "x") as timer:
        with timer.resting("the disk"):
            await asyncio.sleep(seconds)
        await asyncio.sleep(29)


async def test_nothing_comes():
    """A silent server is given up after the idle time, and it is worth another try."""
    with pytest.raises(errors.TooSlow, match=r"sent nothing for 30 s.*idle-timeout") as caught:
        await stream(TERMS, every=0)
    assert now() == 30
    assert caught.value.retryable


async def test_it_stalls():
    """The idle time counts from the last byte."""
    with pytest.raises(errors.TooSlow, match=r"nothing for 30 s, 50000 bytes had come before"):
        await stream(TERMS, 50_000, every=20)
    assert now() == 50


async def test_it_trickles():
    """Single bytes do not keep a fetch alive for long."""
    with pytest.raises(errors.TooSlow, match=r"less than 1000 bytes per second.*min-speed"):
        await stream(TERMS, every=1, then=100)
    assert 30 < now() < 40


async def test_it_keeps_up():
    """At the least speed a fetch goes on until the time for the whole is over."""
    with pytest.raises(errors.TooSlow, match=r"not done after 600 s, 599000 bytes have come\."):
        await stream(TERMS, every=1, then=1000)
    assert now() == 600


async def test_no_least_speed():
    """Without one any byte counts as much as many."""
    terms = Terms(idle_timeout=30, download_timeout=100, min_speed=0)
    with pytest.raises(errors.TooSlow, match="not done after 100 s"):
        await stream(terms, every=29, then=1)
    assert now() == 100


async def test_our_own_disk_is_nobodys_fault():
    """What the operator waits for itself does not count as idle, and is named when it takes too long."""
    await rest(100)
    with pytest.raises(errors.TooSlow, match="0 bytes have come, it waits for the disk"):
        await rest(1000)


async def test_other_timeouts():
    """A TimeoutError of what is inside is passed on."""
    with pytest.raises(TimeoutError, match="mine"):
        async with paced(TERMS, "x"):
            raise TimeoutError("mine")
