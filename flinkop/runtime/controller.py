"""Workers: take a request, reconcile it under a deadline, then forget it, delay it or back off.

Promises:

- One run per object at a time, at most `workers` runs in all (behaviour.md L-1).
- A run that raises anything never ends the controller: it is logged and retried as its error says
  (`result.retry_after_of`, `result.TerminalError`), otherwise after the queue's backoff (L-7).
- A success clears the backoff; without a wish for the next look there is one after `idle_interval` (L-6),
  unless the object is gone.
- A run that exceeds `deadline` is cancelled and counts as failed.
- `stop` lets runs under way end; cancelling `run` cancels them.

Not promised: that a reconcile which swallows `CancelledError` ever ends.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable

import structlog

from flinkop.kube.errors import ApiError, FencedError
from flinkop.runtime import queue_instruments
from flinkop.runtime.result import (
    Request,
    Result,
    TerminalError,
    is_terminal,
    leaves,
    retry_after_of,
)
from flinkop.runtime.workqueue import QueueShutDownError, WorkQueue

IDLE_INTERVAL = 36_000.0
"""Seconds after which an object is looked at although nothing asked for it (behaviour.md L-6)."""

SHORTEST_RETRY = 0.05
"""Seconds; a `retry_after` of 0 must not become a busy loop (behaviour.md L-8's minimum)."""

Reconcile = Callable[[Request], Awaitable[Result]]
OnError = Callable[[Request, Exception], Awaitable[None]]

_log = structlog.stdlib.get_logger(__name__)


class ReconcileTimeoutError(Exception):
    """A reconcile took longer than its deadline."""


class StrayCancelError(Exception):
    """A reconcile raised `CancelledError` although nobody cancelled it."""


class Controller:
    """Runs `reconcile` for the requests of `queue`.

    Args:
        name: Names the controller in logs and metrics.
        queue: Where requests come from; the controller shuts it down when it stops.
        reconcile: Brings one object closer to its spec; must not rely on what caused the call.
        workers: Most runs at the same time; None or a negative number for no limit.
        deadline: Most seconds for one run.
        kind: Bound to the log context; `name` by default.
        idle_interval: See `IDLE_INTERVAL`; lengthened by the queue's jitter.
        on_error: Told about an error before its retry is scheduled (the error status hook of L-7),
            within a deadline of the same length; what it raises is logged and otherwise ignored.
        instruments: What is told about runs.
    """

    def __init__(
        self,
        name: str,
        queue: WorkQueue,
        reconcile: Reconcile,
        *,
        workers: int | None = 50,
        deadline: float = 300.0,
        kind: str | None = None,
        idle_interval: float = IDLE_INTERVAL,
        on_error: OnError | None = None,
        instruments: queue_instruments.ControllerInstruments = queue_instruments.NO_CONTROLLER,
    ) -> None:
        if workers == 0:
            msg = f"Controller {name} has 0 workers and would do nothing; use 1 or more, or -1 for no limit."
            raise ValueError(msg)
        self.name = name
        self.queue = queue
        self._reconcile = reconcile
        self._workers = None if workers is None or workers < 0 else workers
        self._deadline = deadline
        self._kind = kind or name
        self._idle_interval = idle_interval
        self._on_error = on_error
        self._instruments = instruments
        self._traced: dict[Request, str] = {}

    async def run(self) -> None:
        """Work until `stop` is called and the runs under way have ended, or until cancelled."""
        slots = asyncio.Semaphore(self._workers) if self._workers is not None else None
        async with asyncio.TaskGroup() as runs:
            while True:
                # The slot comes first, so that the request is chosen as late as possible.
                if slots is not None:
                    await slots.acquire()
                try:
                    request = await self.queue.get()
                except QueueShutDownError:
                    break
                runs.create_task(self._process(request, slots), name=f"{self.name} {request}")

    async def stop(self) -> None:
        """Take no further request; `run` returns when the runs under way have ended."""
        self.queue.shut_down()

    async def _process(self, request: Request, slots: asyncio.Semaphore | None) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._instruments.started(self.name)
        outcome = "cancelled"
        # The context belongs to this run's task alone and ends with it.
        structlog.contextvars.bind_contextvars(
            kind=self._kind,
            namespace=request.namespace,
            name=request.name,
            reconcile_id=secrets.token_hex(4),
        )
        try:
            outcome = await self._attempt(request)
        finally:
            self.queue.done(request)
            if slots is not None:
                slots.release()
            self._instruments.reconciled(
                self.name, request.namespace, outcome, loop.time() - started
            )

    async def _attempt(self, request: Request) -> str:
        """Run once and settle what comes next; return the outcome's name for the metrics."""
        try:
            result = await self._run_once(request)
        except FencedError:
            # The election ends the process; a standby lists every object again.
            _log.warning("Not leading any more, the run stopped before its next write")
            return "fenced"
        except Exception as error:  # noqa: BLE001 - one object's bug must not stop the others
            return await self._failed(request, error)
        return self._succeeded(request, result)

    async def _run_once(self, request: Request) -> Result:
        deadline = asyncio.timeout(self._deadline)
        try:
            async with deadline:
                return await self._reconcile(request)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            msg = f"The run took longer than its deadline of {self._deadline:g} s and was cancelled"
            raise ReconcileTimeoutError(msg) from error
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            msg = "The run was cancelled from within"
            raise StrayCancelError(msg) from error

    def _succeeded(self, request: Request, result: Result) -> str:
        self.queue.forget(request)
        self._traced.pop(request, None)
        if result.gone:
            return "success"  # a timer for each name that ever was would never end
        if result.requeue_after is None:
            self.queue.add_after(request, self._idle_interval)
            return "success"
        if result.requeue_after <= 0:
            self.queue.add(request, result.lane)
            return "requeue"
        self.queue.add_after(request, result.requeue_after, result.lane)
        return "requeue_after"

    async def _failed(self, request: Request, error: Exception) -> str:
        if any(isinstance(leaf, FencedError) for leaf in leaves(error)):
            _log.warning("Not leading any more, the run stopped before its next write")
            return "fenced"
        await self._tell(request, error)
        if is_terminal(error):
            self.queue.forget(request)
            self.queue.add_after(request, self._idle_interval)
            self._report(request, error, "not retried until something changes")
            return "terminal"
        wait = retry_after_of(error)
        if wait is not None:
            wait = max(SHORTEST_RETRY, wait)
            self.queue.add_after(request, wait)
            self._traced.pop(request, None)
            _log.info(f"{error}; next try in {wait:.3g} s", error=type(error).__name__)
            return "retry"
        self._back_off(request, error)
        return "timeout" if isinstance(error, ReconcileTimeoutError) else "error"

    def _back_off(self, request: Request, error: Exception) -> None:
        backoff = self.queue.add_rate_limited(request)
        if backoff is None:
            self.queue.add_after(request, self._idle_interval)
            self._report(request, error, "all retries used up, waiting for a change")
        elif backoff == 0:
            self._report(request, error, "something changed meanwhile, trying again at once")
        else:
            attempt = self.queue.num_requeues(request)
            self._report(request, error, f"retry {attempt} in {backoff:.3g} s")

    async def _tell(self, request: Request, error: Exception) -> None:
        if self._on_error is None:
            return
        try:
            async with asyncio.timeout(self._deadline):
                await self._on_error(request, error)
        except Exception:  # noqa: BLE001 - the run's own error matters more
            _log.exception("The error could not be recorded on the object")

    def _report(self, request: Request, error: Exception, consequence: str) -> None:
        """Log `error`: with its traceback the first time, in one line while it repeats itself.

        What the API server answers needs no traceback; what may pass by itself is a warning.
        """
        text = f"{type(error).__name__}: {error}"
        answered = isinstance(error, ApiError | ReconcileTimeoutError | TerminalError)
        news = not answered and self._traced.get(request) != text
        self._traced[request] = text
        _log.log(
            logging.WARNING if isinstance(error, ApiError) and error.transient else logging.ERROR,
            f"Reconcile failed: {str(error) or type(error).__name__}; {consequence}",
            error=type(error).__name__,
            exc_info=error if news else None,
        )
