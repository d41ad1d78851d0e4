"""Leader election by a Lease: of several processes one works, the others stand by.

How it goes (operations.md 3.5; the Lease is the reference's in name and format):

    candidate ──the lease is free, or was not renewed for its own duration──▶ leader
    leader ──not renewed within renew_deadline, or another holder seen──▶ lost: the process ends
    leader ──graceful stop──▶ released: holder empty, duration 1 s; a standby takes over at once

Promises, as far as clocks run at about the same rate:

- At any moment at most one process passes `check`. A leader's `check` fails `renew_deadline` after it
  *sent* its last successful renewal; others wait `lease_duration`, which is longer, after they *saw* it.
- Wall time decides nothing: it is only written into the Lease. A clock step changes nothing.
- A hung request never prolongs leadership: each call has a deadline.
- A process that finds its own name in a Lease which it did not write (a restarted container, or a twin with
  the same HOSTNAME) waits like any other, so twins never lead together.
- With `changes` a standby takes over within a moment of a release, and of the end of a lease that was not renewed.
- A Lease deleted while it was held is made again by its holder. If that does not happen, a standby waits for the
  duration last seen, makes the Lease, and keeps it for one more duration before it leads.

Not promised:

- There are no fencing tokens: the API server does not check the Lease when it accepts a write. A write
  that passed `check` and then was on its way for longer than lease_duration - renew_deadline may arrive
  after the next leader has begun. Bound writes by `remaining` and keep them conditional (resourceVersion).
- Clocks whose rates differ by more than lease_duration / renew_deadline, and a machine that is suspended with its
  monotonic clock, break the first promise. So does a candidate whose very first look falls between somebody's deleting the Lease
  and the holder's next renewal: it cannot know that there was one.
"""

import asyncio
import contextlib
import datetime as dt
import math
import os
import random
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Protocol

import attrs
import structlog

from flinkop.clock import Clock
from flinkop.kube.errors import FencedError, Forbidden
from flinkop.runtime import queue_instruments

_log = structlog.stdlib.get_logger(__name__)

_JITTER = 1.2
"""Candidates wait retry_period * (1 + random * this), as the reference does, so that they do not collide."""

_SHORTEST_WAIT = 0.05


class _NotFreeError(Exception):
    """Somebody else holds the lease: nothing to report, look again later."""


class LeadershipLostError(Exception):
    """The lease was lost; the process must end, as another one may already be leading."""


@attrs.frozen
class LeaseRecord:
    """What a Lease says.

    Attributes:
        holder: Identity of the leader; empty when the lease was released.
        duration: Seconds after which a lease that is not renewed is free.
        acquire_time: When the holder began to lead, by the holder's wall clock.
        renew_time: When the holder last renewed, by the holder's wall clock.
        transitions: How many times the holder changed.
        version: resourceVersion of the record as read; empty for one that is not stored yet.
    """

    holder: str
    duration: int
    acquire_time: dt.datetime | None
    renew_time: dt.datetime | None
    transitions: int = 0
    version: str = ""


class LeaseStore(Protocol):
    """Where the Lease is kept; any exception of a call counts as a failed attempt."""

    async def get(self) -> LeaseRecord | None:
        """Return the record, or None when there is no Lease."""
        ...

    async def create(self, record: LeaseRecord) -> LeaseRecord:
        """Create the Lease, or raise when it exists; return the record as stored."""
        ...

    async def replace(self, record: LeaseRecord) -> LeaseRecord:
        """Replace the Lease if it still has `record.version`, else raise; return the record as stored."""
        ...


@attrs.frozen
class ElectionTimes:
    """Durations of an election in seconds.

    Attributes:
        lease_duration: How long others leave a lease alone that is not renewed.
        renew_deadline: How long a leader goes on without a successful renewal.
        retry_period: Time between renewals, and least time between a candidate's looks.
        call_timeout: Most time for one call; renew_deadline / 3 by default, so that one hung call is survived.
    """

    lease_duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0
    call_timeout: float = attrs.field(
        default=attrs.Factory(lambda self: self.renew_deadline / 3, takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        """Refuse durations that cannot work."""
        if not 0 < self.retry_period < self.renew_deadline < self.lease_duration:
            msg = (
                "Leader election needs 0 < retry-period < renew-deadline < lease-duration, got "
                f"{self.retry_period:g} s, {self.renew_deadline:g} s, {self.lease_duration:g} s; "
                "2 s, 10 s and 15 s are the defaults."
            )
            raise ValueError(msg)
        if not 0 < self.call_timeout <= self.renew_deadline:
            msg = f"call_timeout must be between 0 and renew-deadline, got {self.call_timeout:g} s."
            raise ValueError(msg)


def identity_from(environ: Mapping[str, str] = os.environ) -> str:
    """Return this process's identity: HOSTNAME, which is the pod's name, else a random UUID."""
    return environ.get("HOSTNAME", "").strip() or str(uuid.uuid4())


class LeaseElector:
    """Competes for one lease and keeps it while it can.

    Args:
        store: Where the Lease is kept.
        identity: Name of this process in the Lease; must not be empty.
        clock: Wall time for the record, monotonic time for every decision.
        times: Durations.
        release_on_stop: Give the lease back when `run` is cancelled.
        on_started_leading: Called once when this process begins to lead.
        on_stopped_leading: Called once when it ceases to, after `check` began to fail.
        changes: Follows the Lease and yields at each change, so that a standby takes over without delay;
            without it, or when it fails, a standby looks every retry_period to 2.2 of them.
        rng: Source of the jitter.
        instruments: What is told about renewals.
    """

    def __init__(
        self,
        store: LeaseStore,
        identity: str,
        clock: Clock,
        *,
        times: ElectionTimes | None = None,
        release_on_stop: bool = True,
        on_started_leading: Callable[[], None] = lambda: None,
        on_stopped_leading: Callable[[], None] = lambda: None,
        changes: Callable[[], AsyncGenerator[object, None]] | None = None,
        rng: random.Random | None = None,
        instruments: queue_instruments.ElectionInstruments = queue_instruments.NO_ELECTION,
    ) -> None:
        if not identity:
            msg = "Leader election needs a non-empty identity: an empty holder means a free lease."
            raise ValueError(msg)
        self.identity = identity
        self._store = store
        self._clock = clock
        self._times = times or ElectionTimes()
        self._release_on_stop = release_on_stop
        self._on_started_leading = on_started_leading
        self._on_stopped_leading = on_stopped_leading
        self._changes = changes
        self._changed = asyncio.Event()
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._instruments = instruments
        self._leading = asyncio.Event()
        self._fence = float("-inf")
        self._observed: LeaseRecord | None = None
        self._observed_at = float("-inf")
        # Marks the records that this process wrote, or may have written: see `_is_mine`.
        self._acquire_time: dt.datetime | None = None
        self._unproven = False
        self._lead_from = float("-inf")

    # --- for everybody else

    def check(self) -> None:
        """Do nothing while this process may write.

        Raises:
            FencedError: If it does not lead, or the lease may have run out since the last renewal.
        """
        if self.remaining() <= 0:
            msg = (
                f"The write was not sent: {self.identity} does not hold the lease"
                f"{f' ({self.leader} does)' if self.leader not in ('', self.identity) else ''}."
            )
            raise FencedError(msg)

    def remaining(self) -> float:
        """Return the seconds for which `check` would pass without a further renewal; 0 if it fails."""
        return max(0.0, self._fence - self._clock.monotonic())

    @property
    def is_leader(self) -> bool:
        """Whether `check` passes."""
        return self.remaining() > 0

    @property
    def leader(self) -> str:
        """Identity of the leader as last seen; empty when unknown or none."""
        return self._observed.holder if self._observed else ""

    async def wait_leading(self) -> None:
        """Wait until this process leads."""
        await self._leading.wait()

    # --- the election

    async def run(self) -> None:
        """Compete, then lead until cancelled or until the lease is lost.

        Raises:
            LeadershipLostError: If the lease was lost. `check` fails already.
        """
        try:
            await self._acquire()
            await self._lead()
        except asyncio.CancelledError:
            # A graceful stop: all writers have ended. After a loss they may not have, so no release then.
            self._step_down()
            await self._release()
            raise
        finally:
            self._step_down()

    async def _acquire(self) -> None:
        _log.info("Competing for the lease", identity=self.identity)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen())
            while not await self._attempt(self._try_acquire):
                await self._until_next_look()
            listening.cancel()

    async def _listen(self) -> None:
        """Ask for a look at each change of the Lease; where that is not possible, the regular looks do."""
        while self._changes is not None:
            try:
                async with contextlib.aclosing(self._changes()) as changes:
                    async for _ in changes:
                        self._changed.set()
            except Forbidden as error:
                _log.info(f"The lease cannot be watched, it is only looked at: {error}")
                return
            except Exception as error:  # noqa: BLE001 - only a help; the election does not rest on it
                _log.debug("The lease's watch ended", error=str(error))
            await asyncio.sleep(self._times.retry_period)

    async def _until_next_look(self) -> None:
        """Wait for the regular time; a change of the Lease, or its running out, comes first."""
        pause = self._times.retry_period * (1 + _JITTER * self._rng.random())
        runs_out = self._free_at() - self._clock.monotonic()
        if runs_out > 0:
            pause = min(pause, runs_out + _SHORTEST_WAIT * self._rng.random())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._changed.wait()
                # All candidates hear of it at once.
                await asyncio.sleep(_SHORTEST_WAIT * self._rng.random())
        self._changed.clear()

    async def _lead(self) -> None:
        _log.info("Leading", identity=self.identity)
        self._leading.set()
        self._instruments.leading(True)
        self._on_started_leading()
        renewed = True
        while True:
            # After a failure the tries come the faster the less time is left.
            hurry = (
                self._times.retry_period if renewed else max(_SHORTEST_WAIT, self.remaining() / 4)
            )
            await asyncio.sleep(min(self._times.retry_period, self.remaining(), hurry))
            if not self.is_leader:
                msg = (
                    f"The lease was lost: it was not renewed for {self._times.renew_deadline:g} s, because the"
                    " API server did not answer, refused, or this process was paused. Another replica takes over."
                )
                raise LeadershipLostError(msg)
            renewed = await self._renew()
            if not renewed:
                self._instruments.renewal_failed()

    async def _renew(self) -> bool:
        """Renew once within what remains; tell whether it worked.

        Raises:
            LeadershipLostError: If somebody else holds the lease.
        """
        if await self._attempt(self._try_renew, self.remaining()):
            return True
        # Another write came between, or an earlier one of ours arrived after all: look, then once more.
        await self._attempt(self._observe, self.remaining())
        self._raise_if_taken()
        return await self._attempt(self._try_renew, self.remaining())

    async def _try_acquire(self) -> None:
        """Look, and take the lease if it is free; return only if this process holds it now."""
        await self._observe()
        seen = self._observed
        if seen is not None and self._is_mine(seen):
            self._begin_probation()
            await self._write(seen, seen.transitions)
        elif seen is None or self._is_free(seen):
            # Kept after a failure: a write without an answer may still arrive and is then known as ours.
            self._acquire_time = self._acquire_time or self._now()
            self._unproven = seen is not None and not seen.version
            changed = seen is not None and seen.holder != self.identity
            await self._write(seen, (0 if seen is None else seen.transitions) + changed)
            self._begin_probation()
        else:
            self._acquire_time = None
            raise _NotFreeError
        if self._clock.monotonic() < self._lead_from:
            self._fence = float("-inf")
            raise _NotFreeError

    def _begin_probation(self) -> None:
        """Keep a Lease that was created in place of a deleted one for a whole duration before leading.

        A replace proves that nobody wrote in between; a create does not: the holder may have made the
        Lease again and renewed it, and somebody may have deleted that one too.
        """
        if self._unproven:
            self._unproven = False
            self._lead_from = self._clock.monotonic() + self._times.lease_duration

    async def _try_renew(self) -> None:
        seen = self._observed
        await self._write(seen, 0 if seen is None else seen.transitions)

    async def _write(self, seen: LeaseRecord | None, transitions: int) -> None:
        """Write a record that names this process over `seen`; lead for another while if it worked."""
        record = LeaseRecord(
            holder=self.identity,
            duration=math.ceil(self._times.lease_duration),
            acquire_time=self._acquire_time,
            renew_time=self._now(),
            transitions=transitions,
            version=seen.version if seen is not None else "",
        )
        sent = self._clock.monotonic()
        stored = await (
            self._store.replace(record) if record.version else self._store.create(record)
        )
        self._see(stored)
        # Counted from before the request left: nobody can have seen the record earlier than that.
        self._fence = sent + self._times.renew_deadline
        self._instruments.renewed(self._clock.monotonic() - sent)

    async def _observe(self) -> None:
        record = await self._store.get()
        if record is not None:
            self._see(record)
        elif self._observed is not None and self._observed.version:
            # Deleted. Its holder may have renewed since our last look and not know yet, so what it said
            # stays in force, counted from now, until it has run out.
            self._observed = attrs.evolve(self._observed, version="")
            self._observed_at = self._clock.monotonic()

    def _see(self, record: LeaseRecord) -> None:
        """Remember `record`, and since when it has said what it says."""
        old = self._observed
        if old != record:  # a new version alone counts too: the holder's wall clock may stand still
            self._observed_at = self._clock.monotonic()
            if record.holder not in (old.holder if old else "", self.identity):
                _log.info(
                    "Another replica leads" if record.holder else "Nobody leads",
                    leader=record.holder,
                )
        self._observed = record

    def _is_mine(self, record: LeaseRecord) -> bool:
        # The name alone could be a twin's or a former life's; the microsecond it began is not.
        return (
            record.holder == self.identity
            and self._acquire_time is not None
            and record.acquire_time == self._acquire_time
        )

    def _is_free(self, record: LeaseRecord) -> bool:
        return not record.holder or self._clock.monotonic() >= self._free_at()

    def _free_at(self) -> float:
        """Return when, by the monotonic clock, the lease last seen runs out."""
        duration = self._observed.duration if self._observed else 0
        return self._observed_at + (duration if duration > 0 else self._times.lease_duration)

    def _raise_if_taken(self) -> None:
        seen = self._observed
        if seen is not None and not self._is_mine(seen):
            self._fence = float("-inf")
            msg = f"The lease was lost: {seen.holder or 'somebody'} changed it while this process was leading."
            raise LeadershipLostError(msg)

    # --- the end

    def _step_down(self) -> None:
        """Close the fence, and tell if this process was leading."""
        self._fence = float("-inf")
        if self._leading.is_set():
            self._leading.clear()
            self._instruments.leading(False)
            self._on_stopped_leading()

    async def _release(self) -> None:
        """Empty the holder, so that a standby need not wait; best effort."""
        if not self._release_on_stop or self._acquire_time is None:
            return
        for _ in range(2):
            if self._holds() and await self._attempt(self._try_release):
                _log.info("Released the lease", identity=self.identity)
                return
            # A write that was cancelled on its way may have arrived.
            if not await self._attempt(self._observe) or not self._holds():
                return

    def _holds(self) -> bool:
        seen = self._observed
        return seen is not None and seen.version != "" and self._is_mine(seen)

    async def _try_release(self) -> None:
        if self._observed is not None:
            now = self._now()
            free = LeaseRecord("", 1, now, now, self._observed.transitions, self._observed.version)
            self._observed = await self._store.replace(free)

    async def _attempt(
        self, call: Callable[[], Awaitable[None]], limit: float = float("inf")
    ) -> bool:
        """Await `call` within its deadline and `limit` seconds; log any failure; tell whether it worked."""
        seconds = min(self._times.call_timeout, limit)
        if seconds <= 0:
            return False
        try:
            async with asyncio.timeout(seconds):
                await call()
        except _NotFreeError:
            return False
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the lease was not written
            _log.warning(
                f"A call about the lease failed: {str(error) or type(error).__name__}",
                error=type(error).__name__,
            )
            return False
        return True

    def _now(self) -> dt.datetime:
        return self._clock.now()
