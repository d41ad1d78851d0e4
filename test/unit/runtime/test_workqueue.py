"""The workqueue's waiting part, in virtual time."""

import asyncio

import pytest

from flinkop.runtime.ratelimiter import RetryLimiter, RetrySchedule, TokenBucket
from flinkop.runtime.result import Request
from flinkop.runtime.workqueue import QueueShutDownError, WorkQueue

pytestmark = pytest.mark.virtual_time

A, B, C = (Request("ns", name) for name in "abc")


@pytest.fixture
def queue():
    return WorkQueue("test", jitter=0)


def now():
    return asyncio.get_running_loop().time()


async def test_a_request_added_often_comes_out_once(queue):
    """Duplicates are merged before a worker takes them."""
    for _ in range(5):
        queue.add(A)
    assert await queue.get() == A
    assert queue.get_nowait() is None


async def test_added_while_processing_it_comes_out_after_done(queue):
    """A request is never with two workers, and no event is lost."""
    queue.add(A)
    await queue.get()
    queue.add(A)
    assert queue.get_nowait() is None
    queue.done(A)
    assert queue.get_nowait() == A
    queue.done(A)
    assert queue.get_nowait() is None


async def test_user_passes_resync(queue):
    """What a user changed comes before periodic work."""
    queue.add(A, "resync")
    queue.add(B, "user")
    assert [await queue.get(), await queue.get()] == [B, A]


async def test_a_user_change_promotes(queue):
    """A request that waits in the resync lane moves to the user lane when a user changes it."""
    queue.add(A, "resync")
    queue.add(B, "resync")
    queue.add(B, "user")
    assert await queue.get() == B


async def test_resync_gets_its_turn():
    """While users keep coming, every ninth request is a resync."""
    queue = WorkQueue(user_share=8, jitter=0)
    for n in range(100):
        queue.add(Request("ns", f"user-{n}"), "user")
    for n in range(5):
        queue.add(Request("ns", f"resync-{n}"), "resync")
    order = [(await queue.get()).name for _ in range(45)]
    assert [n for n, name in enumerate(order) if name.startswith("resync")] == [8, 17, 26, 35, 44]


async def test_a_delay_ends_on_time(queue):
    """`get` wakes when the delay is over, not before and not later."""
    queue.add_after(A, 5)
    assert await queue.get() == A
    assert now() == pytest.approx(5)


async def test_the_earlier_delay_wins(queue):
    """Of two delays for one request the earlier one counts, and it comes out once."""
    queue.add_after(A, 10)
    queue.add_after(A, 3)
    queue.add_after(A, 7)
    await queue.get()
    assert now() == pytest.approx(3)
    queue.done(A)
    await asyncio.sleep(100)
    assert queue.get_nowait() is None


async def test_an_event_beats_a_delay(queue):
    """An event during a run makes it run again at once, whatever delay the run asks for (L-2)."""
    queue.add(A)
    await queue.get()
    queue.add(A)
    queue.add_after(A, 60)
    queue.done(A)
    assert await queue.get() == A
    assert now() == 0
    queue.done(A)
    await asyncio.sleep(100)
    assert queue.get_nowait() is None


async def test_a_shorter_delay_wakes_a_waiting_getter(queue):
    """The timer is set anew when an earlier delay arrives."""
    queue.add_after(A, 50)
    async with asyncio.TaskGroup() as tasks:
        got = tasks.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add_after(B, 1)
    assert got.result() == B
    assert now() == pytest.approx(2)


async def test_backoff_grows(queue):
    """The waits are 5, 5, 7.5, 11.25 s (L-7)."""
    waits = []
    queue.add(A)
    for _ in range(4):
        await queue.get()
        waits.append(queue.add_rate_limited(A))
        queue.done(A)
    assert waits == [5, 5, 7.5, 11.25]
    assert queue.num_requeues(A) == 4
    queue.forget(A)
    assert queue.num_requeues(A) == 0


async def test_attempts_run_out():
    """After the last attempt nothing is scheduled, and an event starts anew."""
    queue = WorkQueue(limiter=RetryLimiter(RetrySchedule(max_attempts=2)), jitter=0)
    queue.add(A)
    waits = []
    for _ in range(3):
        await queue.get()
        waits.append(queue.add_rate_limited(A))
        queue.done(A)
    assert waits == [5, 5, None]
    await asyncio.sleep(1e6)
    assert queue.get_nowait() is None
    queue.add(A)
    await queue.get()
    assert queue.add_rate_limited(A) == 5


async def test_an_early_event_uses_no_attempt(queue):
    """An event that comes more than 5 s before the retry gives the attempt back (L-7)."""
    queue.add(A)
    for _ in range(3):
        await queue.get()
        queue.add_rate_limited(A)
        queue.done(A)
    assert queue.num_requeues(A) == 3
    await asyncio.sleep(1)  # 6.5 of 7.5 s remain
    queue.add(A)
    queue.add(A)
    assert queue.num_requeues(A) == 2
    assert await queue.get() == A


async def test_a_late_event_uses_the_attempt(queue):
    """An event shortly before the retry runs the request at once and keeps the count."""
    queue.add(A)
    await queue.get()
    queue.add_rate_limited(A)
    queue.done(A)
    await asyncio.sleep(1)
    queue.add(A)
    assert queue.get_nowait() == A
    assert queue.num_requeues(A) == 1


async def test_failing_runs_that_cause_events_are_held_back(queue):
    """Five failures in 15 s: the sixth run waits although events come (L-8)."""
    starts = []
    queue.add(A)
    while now() < 40:
        await queue.get()
        starts.append(now())
        await asyncio.sleep(0.1)
        queue.add(A)
        queue.add_rate_limited(A)
        queue.done(A)
    assert all(later - earlier >= 15 for earlier, later in zip(starts, starts[5:], strict=False))
    assert len(starts) >= 15


async def test_success_is_never_held_back(queue):
    """A burst of events of an object that reconciles well runs without delay."""
    for _ in range(100):
        queue.add(A)
        await queue.get()
        queue.forget(A)
        queue.done(A)
    assert now() == 0


async def test_the_bucket_spreads_a_stampede():
    """When all fail at once, the overall bucket spreads their retries."""
    bucket = TokenBucket(rate=10, burst=10)
    queue = WorkQueue(limiter=RetryLimiter(RetrySchedule(initial=1), bucket), jitter=0)
    waits = [queue.add_rate_limited(Request("ns", str(n))) for n in range(50)]
    assert waits[:20] == [1] * 20
    assert waits[-1] == pytest.approx(4)


async def test_cancelled_getters_lose_nothing(queue):
    """A request that woke a cancelled getter goes to the next one."""
    async with asyncio.TaskGroup() as tasks:
        first, second = tasks.create_task(queue.get()), tasks.create_task(queue.get())
        await asyncio.sleep(1)
        queue.add(A)
        first.cancel()
    assert first.cancelled()
    assert second.result() == A


async def test_shut_down_ends_getters(queue):
    """`get` raises for those who wait and for those who come later; adds are ignored."""
    async with asyncio.TaskGroup() as tasks:
        getter = tasks.create_task(_outcome(queue.get()))
        await asyncio.sleep(1)
        queue.shut_down()
    assert isinstance(getter.result(), QueueShutDownError)
    queue.add(A)
    queue.add_after(A, 1)
    await asyncio.sleep(5)
    with pytest.raises(QueueShutDownError):
        await queue.get()


async def test_drain_waits_for_runs(queue):
    """`drain` returns when the last run ended; what had not started is dropped."""
    queue.add(A)
    queue.add(B)
    await queue.get()
    queue.add(A)
    async with asyncio.TaskGroup() as tasks:
        drained = tasks.create_task(queue.drain(10))
        await asyncio.sleep(3)
        assert not drained.done()
        queue.done(A)
    assert drained.result() is True
    assert now() == pytest.approx(3)


async def test_drain_gives_up(queue):
    """`drain` tells when a run outlasts its patience."""
    queue.add(A)
    await queue.get()
    assert await queue.drain(10) is False
    assert now() == pytest.approx(10)


async def test_done_without_get_is_an_error(queue):
    """A `done` that nobody owes is a bug of the caller."""
    with pytest.raises(ValueError, match="not being processed"):
        queue.done(A)


async def test_statistics_show_the_insides(queue):
    """The snapshot counts lanes, delays and runs, and gives the longest ages."""
    queue.add(A)
    await queue.get()
    queue.add(B, "resync")
    queue.add_after(C, 50)
    await asyncio.sleep(2)
    statistics = queue.statistics()
    assert (statistics.ready_user, statistics.ready_resync) == (0, 1)
    assert (statistics.delayed, statistics.processing) == (1, 1)
    assert statistics.longest_wait == pytest.approx(2)
    assert statistics.longest_run == pytest.approx(2)
    assert "ready=1" in repr(queue)


async def test_dropped_delays_do_not_pile_up(queue):
    """Idle timers that events make void do not stay in memory."""
    for _ in range(1000):
        queue.add_after(A, 36_000)
        queue.add(A)
        await queue.get()
        queue.done(A)
    assert len(queue._core._heap) < 100


async def _outcome(awaitable):
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
