"""The manager's order of start and stop, in virtual time; signals in test_manager_signals."""

import asyncio
import contextlib

import pytest
import structlog

from flinkop.runtime.leaderelection import LeadershipLostError
from flinkop.runtime.manager import GROUPS, Manager, Runnable

pytestmark = pytest.mark.virtual_time


class Parts:
    """Makes runnables that write down what happens to them."""

    def __init__(self):
        self.story = []

    def part(
        self, name, *, ready_after=0.0, stop_takes=None, fails_after=None, error=None, **kwargs
    ):
        stopping = asyncio.Event()

        async def run():
            self.story.append(f"{name} starts")
            try:
                if fails_after is not None:
                    await asyncio.sleep(fails_after)
                    raise error or ValueError("broken")
                await stopping.wait()
                await asyncio.sleep(stop_takes)
                self.story.append(f"{name} ends")
            except asyncio.CancelledError:
                self.story.append(f"{name} cancelled")
                raise

        async def ready():
            await asyncio.sleep(ready_after)
            self.story.append(f"{name} ready")

        async def stop():
            self.story.append(f"{name} asked")
            stopping.set()

        return Runnable(
            name, run, ready=ready, stop=stop if stop_takes is not None else None, **kwargs
        )


@pytest.fixture
def parts():
    return Parts()


class ExitError(BaseException):
    pass


def make(**kwargs):
    def exit_now(code):
        raise ExitError(code)

    return Manager(signals=(), exit_now=exit_now, **kwargs)


def now():
    return asyncio.get_running_loop().time()


@contextlib.asynccontextmanager
async def running(manager):
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(manager.run())
        yield task


def states(manager):
    return {group.name: group.state for group in manager.health()}


async def test_groups_start_in_order_and_stop_in_reverse(parts):
    """Each group waits for the one before; the stop goes the other way."""
    manager = make()
    manager.add("controllers", parts.part("work", stop_takes=1))
    manager.add("servers", parts.part("http"))
    manager.add("caches", parts.part("pods", ready_after=2))
    manager.add("caches", parts.part("jobs", ready_after=5))
    async with running(manager) as task:
        await asyncio.sleep(3)
        assert states(manager) == {
            "servers": "up",
            "caches": "starting",
            "election": "up",
            "controllers": "waiting",
        }
        await asyncio.sleep(3)
        assert set(states(manager).values()) == {"up"}
        manager.stop("the test says so")
        assert await task == 0
    assert parts.story == [
        "http starts",
        "http ready",
        "pods starts",
        "jobs starts",
        "pods ready",
        "jobs ready",
        "work starts",
        "work ready",
        "work asked",
        "work ends",
        "pods cancelled",
        "jobs cancelled",
        "http cancelled",
    ]
    assert set(states(manager).values()) == {"stopped", "up"}


async def test_a_part_that_drains_too_long_is_cancelled(parts):
    """The termination timeout bounds the drain (operations.md 3.6)."""
    manager = make(termination_timeout=10)
    manager.add("servers", parts.part("http"))
    manager.add("controllers", parts.part("work", stop_takes=60))
    async with running(manager) as task:
        await asyncio.sleep(1)
        manager.stop("x")
        assert await task == 0
    assert now() == pytest.approx(11)
    assert parts.story[-3:] == ["work asked", "work cancelled", "http cancelled"]


async def test_the_first_failure_stops_everything(parts):
    """A part's error ends all in order with exit code 1; the drain still happens."""
    manager = make()
    manager.add("servers", parts.part("http", fails_after=5))
    manager.add("controllers", parts.part("work", stop_takes=2))
    with structlog.testing.capture_logs() as logs:
        async with running(manager) as task:
            assert await task == 1
    assert now() == pytest.approx(7)
    assert parts.story[-2:] == ["work asked", "work ends"]
    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "http failed, so the process stops: broken"
    ]
    health = {part.name: part for group in manager.health() for part in group.parts}
    assert (health["http"].state, health["http"].error) == ("failed", "broken")
    assert not manager.is_up("servers")


async def test_a_lost_lease_waits_for_nothing(parts):
    """Nothing may run un-led: all is cancelled at once (L-12)."""
    manager = make()
    manager.add("election", parts.part("lease", fails_after=5, error=LeadershipLostError("lost")))
    manager.add("controllers", parts.part("work", stop_takes=8))
    async with running(manager) as task:
        assert await task == 1
    assert now() == pytest.approx(5)
    assert parts.story[-1] == "work cancelled"


async def test_a_lease_lost_while_draining_ends_the_drain(parts):
    """The drain does not outlive leadership."""
    manager = make()
    manager.add("election", parts.part("lease", fails_after=5, error=LeadershipLostError("lost")))
    manager.add("controllers", parts.part("work", stop_takes=8))
    async with running(manager) as task:
        await asyncio.sleep(1)
        manager.stop("x")
        assert await task == 1
    assert now() == pytest.approx(5)


async def test_a_failure_while_starting_stops_what_was_started(parts):
    """Later groups never start."""
    manager = make()
    manager.add("servers", parts.part("http"))
    manager.add("caches", parts.part("pods", ready_after=100, fails_after=3))
    manager.add("controllers", parts.part("work", stop_takes=1))
    async with running(manager) as task:
        assert await task == 1
    assert now() == pytest.approx(3)
    assert "work starts" not in parts.story
    assert parts.story[-1] == "http cancelled"


async def test_a_stop_while_starting_is_obeyed(parts):
    """A signal need not wait for the caches."""
    manager = make()
    manager.add("caches", parts.part("pods", ready_after=100))
    manager.add("controllers", parts.part("work", stop_takes=1))
    async with running(manager) as task:
        await asyncio.sleep(1)
        manager.stop("x")
        assert await task == 0
    assert parts.story == ["pods starts", "pods cancelled"]


async def test_a_part_that_is_never_ready_is_named(parts):
    """`ready_within` turns endless waiting into a clear error."""
    manager = make()
    manager.add("caches", parts.part("pods", ready_after=1000, ready_within=120))
    with structlog.testing.capture_logs() as logs:
        async with running(manager) as task:
            assert await task == 1
    assert now() == pytest.approx(120)
    assert any("pods failed" in line["event"] and "within 120 s" in line["event"] for line in logs)


async def test_an_error_of_ready_is_the_parts_error(parts):
    """What `ready` raises stops the process like an error of `run`."""

    async def ready():
        raise PermissionError("forbidden")

    manager = make()
    manager.add("caches", Runnable("pods", asyncio.Event().wait, ready=ready))
    async with running(manager) as task:
        assert await task == 1


async def test_parts_must_not_end_unasked(parts):
    """A part that returns is a failure, unless it may end."""
    for may_end, code in ((True, 0), (False, 1)):
        manager = make()
        manager.add("servers", Runnable("short", lambda: asyncio.sleep(1), may_end=may_end))
        async with running(manager) as task:
            await asyncio.sleep(2)
            assert manager.is_up("servers") == may_end
            manager.stop("x")
            assert await task == code


async def test_a_stray_cancel_of_a_part_is_a_failure(parts):
    """A part that raises CancelledError by itself does not vanish silently."""

    async def run():
        raise asyncio.CancelledError

    manager = make()
    manager.add("servers", Runnable("odd", run))
    async with running(manager) as task:
        assert await task == 1


async def test_a_stop_that_raises_does_not_stop_the_stop(parts):
    """The part is cancelled instead and the others end in order."""

    async def stop():
        raise ValueError("no")

    manager = make()
    manager.add("servers", parts.part("http"))
    manager.add("controllers", Runnable("work", asyncio.Event().wait, stop=stop))
    async with running(manager) as task:
        await asyncio.sleep(1)
        manager.stop("x")
        assert await task == 0
    assert now() == pytest.approx(1)
    assert parts.story[-1] == "http cancelled"


async def test_a_part_that_ignores_cancellation_cannot_hold_the_process(parts):
    """After the cancel timeout the process exits."""

    async def run():
        while now() < 100:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(100)

    manager = make(cancel_timeout=3)
    manager.add("servers", Runnable("deaf", run))
    asyncio.get_running_loop().call_later(1, manager.stop, "x")
    with pytest.raises(BaseExceptionGroup) as caught:
        await manager.run()
    assert caught.group_contains(ExitError)


async def test_cancelling_run_stops_in_order(parts):
    """A caller that cancels gets the ordered stop too."""
    manager = make()
    manager.add("servers", parts.part("http"))
    manager.add("controllers", parts.part("work", stop_takes=2))
    async with running(manager) as task:
        await asyncio.sleep(1)
        task.cancel()
    assert task.cancelled()
    assert parts.story[-3:] == ["work asked", "work ends", "http cancelled"]


def test_unknown_groups_are_refused(parts):
    """A misspelt group is an error at once."""
    assert GROUPS == ("servers", "caches", "election", "controllers")
    with pytest.raises(KeyError):
        make().add("workers", Runnable("x", asyncio.Event().wait))
