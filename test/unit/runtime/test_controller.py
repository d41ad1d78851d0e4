"""The controller's workers, in virtual time."""

import asyncio
import contextlib

import pytest
import structlog

from flinkop.kube.errors import Conflict, FencedError, Forbidden, TooManyRequests
from flinkop.runtime.controller import Controller
from flinkop.runtime.ratelimiter import RetryLimiter, RetrySchedule
from flinkop.runtime.result import Request, Result, RetryError, TerminalError
from flinkop.runtime.workqueue import WorkQueue

pytestmark = pytest.mark.virtual_time

A, B = Request("ns", "a"), Request("ns", "b")


class Counts:
    def __init__(self):
        self.results = []

    def started(self, controller):
        pass

    def reconciled(self, controller, namespace, result, seconds):
        self.results.append(result)


class Setup:
    """A controller whose reconcile is a list of answers: results, or errors to raise."""

    def __init__(self, *answers, **kwargs):
        self.answers = list(answers)
        self.runs = []
        self.counts = Counts()
        self.queue = WorkQueue(jitter=0)
        kwargs.setdefault("deadline", 100)
        self.controller = Controller(
            "thing", self.queue, self.reconcile, instruments=self.counts, **kwargs
        )

    async def reconcile(self, request):
        self.runs.append((asyncio.get_running_loop().time(), request))
        answer = self.answers.pop(0) if self.answers else Result()
        if callable(answer):
            answer = await answer()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @contextlib.asynccontextmanager
    async def running(self):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.controller.run())
            yield task
            await self.controller.stop()

    def times(self):
        return [time for time, _ in self.runs]


async def test_errors_back_off_and_success_forgets():
    """Errors are retried after 5 and 5 s; a success clears the count."""
    setup = Setup(ValueError("one"), ValueError("two"), Result())
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(20)
    assert setup.times() == pytest.approx([0, 5, 10])
    assert setup.queue.num_requeues(A) == 0
    assert setup.counts.results == ["error", "error", "success"]


async def test_requeue_after_is_followed():
    """A result's wish for the next look is kept."""
    setup = Setup(Result(requeue_after=0.2, lane="user"), Result(requeue_after=60), Result())
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(100)
    assert setup.times() == pytest.approx([0, 0.2, 60.2])


async def test_idle_objects_are_looked_at_after_ten_hours():
    """Without a wish the next look is the idle timer's (L-6)."""
    setup = Setup()
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(36_010)
    assert setup.times() == pytest.approx([0, 36_000])


async def test_objects_that_are_gone_are_not_looked_at_again():
    """No timer is kept for them."""
    setup = Setup(Result(gone=True))
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(72_010)
        assert setup.queue.statistics().delayed == 0
    assert setup.times() == [0]


async def test_an_error_may_name_its_own_time():
    """`retry_after` is used as it is, for as often as it takes, and uses no attempt."""
    setup = Setup(*[RetryError("not yet", 0.5) for _ in range(30)])
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(100)
    assert len(setup.runs) == 31
    assert setup.times()[-1] == pytest.approx(15)
    assert setup.queue.num_requeues(A) == 0


async def test_a_retry_after_of_zero_is_no_busy_loop():
    """There is a shortest wait."""
    setup = Setup(*[RetryError("not yet", 0) for _ in range(1000)])
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(1)
    assert len(setup.runs) <= 21


async def test_terminal_errors_wait_for_an_event():
    """A terminal error is not retried; an event runs the object again."""
    setup = Setup(TerminalError("broken"))
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(1000)
        assert len(setup.runs) == 1
        setup.queue.add(A)
        await asyncio.sleep(1)
    assert setup.times() == pytest.approx([0, 1000])
    assert setup.counts.results == ["terminal", "success"]


async def test_groups_are_judged_by_their_parts():
    """A task group's errors are terminal, fenced or timed when their parts are."""
    setup = Setup(
        ExceptionGroup("both", [RetryError("x", 1), RetryError("y", 2)]),
        ExceptionGroup("both", [RetryError("x", 1), ValueError("y")]),
        ExceptionGroup("fenced", [FencedError("gone"), ValueError("y")]),
    )
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(1000)
    assert setup.times() == pytest.approx([0, 2, 7])
    assert setup.counts.results == ["retry", "error", "fenced"]


async def test_a_run_past_its_deadline_is_cancelled():
    """The deadline ends a run that hangs; it counts as a failure."""
    setup = Setup(lambda: asyncio.sleep(1e9), deadline=30)
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(100)
    assert setup.times() == pytest.approx([0, 35])
    assert setup.counts.results == ["timeout", "success"]


async def test_a_timeout_inside_is_an_ordinary_error():
    """A TimeoutError of the reconcile itself is not taken for the deadline."""
    setup = Setup(TimeoutError("REST"))
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(10)
    assert setup.counts.results == ["error", "success"]


async def test_a_stray_cancel_is_contained():
    """A CancelledError that nobody asked for fails one run and not the controller."""
    setup = Setup(asyncio.CancelledError())
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(10)
    assert setup.counts.results == ["error", "success"]


async def test_cancelling_run_cancels_the_runs():
    """Cancellation reaches the reconciles and is not counted as their failure."""
    setup = Setup(lambda: asyncio.sleep(1e9), deadline=1e6)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(setup.controller.run())
        setup.queue.add(A)
        await asyncio.sleep(1)
        task.cancel()
    assert setup.counts.results == ["cancelled"]
    assert setup.queue.statistics().processing == 0


async def test_stop_lets_runs_end():
    """After `stop` the run under way ends, what waited does not start."""
    setup = Setup(lambda: _slow(5), workers=1)
    async with setup.running() as task:
        setup.queue.add(A)
        setup.queue.add(B)
        await asyncio.sleep(1)
        await setup.controller.stop()
        await task
        assert asyncio.get_running_loop().time() == pytest.approx(5)
    assert [request for _, request in setup.runs] == [A]


async def test_workers_bound_the_runs():
    """At most `workers` runs at the same time; -1 is no limit."""
    for workers, expected in ((3, 3), (-1, 20)):
        setup = Setup(*[lambda: _slow(5)] * 20, workers=workers)
        async with setup.running():
            for n in range(20):
                setup.queue.add(Request("ns", str(n)))
            await asyncio.sleep(1)
            assert setup.queue.statistics().processing == expected
            await asyncio.sleep(100)


def test_zero_workers_are_refused():
    """A controller that could do nothing is not built."""
    with pytest.raises(ValueError, match="0 workers"):
        Setup(workers=0)


async def test_one_run_per_object():
    """Events during a run lead to one more run after it, never beside it (L-1, L-2)."""
    setup = Setup(lambda: _slow(5))
    async with setup.running():
        setup.queue.add(A)
        for _ in range(4):
            await asyncio.sleep(1)
            setup.queue.add(A)
        await asyncio.sleep(50)
    assert setup.times() == pytest.approx([0, 5])


async def test_the_error_hook_is_told():
    """`on_error` sees each error; its own failure is logged and changes nothing."""
    told = []

    async def hook(request, error):
        told.append((request, str(error)))
        raise RuntimeError("hook")

    setup = Setup(ValueError("x"), on_error=hook)
    with structlog.testing.capture_logs() as logs:
        async with setup.running():
            setup.queue.add(A)
            await asyncio.sleep(10)
    assert told == [(A, "x")]
    assert len(setup.runs) == 2
    assert any("could not be recorded" in line["event"] for line in logs)


async def test_the_traceback_comes_once():
    """The same error repeated is one line; a new error has its traceback again."""
    setup = Setup(ValueError("x"), ValueError("x"), KeyError("y"))
    with structlog.testing.capture_logs() as logs:
        async with setup.running():
            setup.queue.add(A)
            await asyncio.sleep(50)
    traced = [bool(line["exc_info"]) for line in logs if line["log_level"] == "error"]
    assert traced == [True, False, True]


async def test_answers_of_the_api_server_need_no_traceback():
    """A conflict is a warning in one line, a refusal an error in one line."""
    setup = Setup(Conflict("changed"), Forbidden("quota"))
    with structlog.testing.capture_logs() as logs:
        async with setup.running():
            setup.queue.add(A)
            await asyncio.sleep(50)
    failures = [line for line in logs if "Reconcile failed" in line["event"]]
    assert [line["log_level"] for line in failures] == ["warning", "error"]
    assert not any(line["exc_info"] for line in failures)


async def test_a_throttled_run_waits_as_the_server_asks():
    """Retry-After of the API server is the wait, and no attempt is used."""
    setup = Setup(TooManyRequests("busy", retry_after=2.0))
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(10)
    assert setup.times() == pytest.approx([0, 2])
    assert setup.counts.results == ["retry", "success"]


async def test_the_log_context_is_bound():
    """Lines of a run carry kind, namespace, name and a short id; nothing leaks out of it."""
    seen = []

    async def look():
        seen.append(structlog.contextvars.get_contextvars())
        return Result()

    setup = Setup(look, look, kind="FlinkDeployment")
    async with setup.running():
        setup.queue.add(A)
        setup.queue.add(B)
        await asyncio.sleep(1)
    assert [(c["kind"], c["namespace"], c["name"]) for c in seen] == [
        ("FlinkDeployment", "ns", "a"),
        ("FlinkDeployment", "ns", "b"),
    ]
    assert seen[0]["reconcile_id"] != seen[1]["reconcile_id"]
    assert not structlog.contextvars.get_contextvars()


async def test_exhausted_retries_leave_the_idle_timer():
    """After the last attempt only the ten-hour timer or an event comes."""
    setup = Setup(*[ValueError("x")] * 5)
    setup.queue = WorkQueue(limiter=RetryLimiter(RetrySchedule(max_attempts=1)), jitter=0)
    setup.controller = Controller("thing", setup.queue, setup.reconcile)
    async with setup.running():
        setup.queue.add(A)
        await asyncio.sleep(36_010)
    assert setup.times()[:3] == pytest.approx([0, 5, 36_005])


async def _slow(seconds):
    await asyncio.sleep(seconds)
    return Result()
