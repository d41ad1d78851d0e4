"""How long an object that failed has to wait: per-object backoff, an overall bucket, a window.

Everything here is synchronous and takes `now`, in seconds on one monotonic clock.

Three limits, and whom each one holds back:

- `RetrySchedule` (behaviour.md L-7): the wait after a failed run, 5, 5, 7.5, 11.25 … s, for 15 attempts.
- `TokenBucket`: all failing objects together, so that an outage does not end in a stampede.
- `Window` (behaviour.md L-8: 5 runs in 15 s): in the reference it counts every run of an object.
  Here it counts failed runs only. A deployment is a burst of watch events, one for each step of the
  Deployment and its pods; holding those back would cost the user seconds for nothing, as each run
  is cheap and the queue merges what arrives meanwhile. What the limit is good for is an object whose
  failing run itself causes events: those would lead to the next run at once, past the backoff.
"""

from collections import deque

import attrs

from flinkop.runtime.result import Request

LONGEST_DELAY = 36_000.0
"""Ten hours: by then the idle timer (behaviour.md L-6) looks at the object anyway."""


@attrs.frozen
class RetrySchedule:
    """The wait before each retry of one object (behaviour.md L-7).

    Attributes:
        initial: Seconds before the first and the second retry.
        factor: What each later wait is multiplied with.
        cap: Longest wait in seconds; None for no cap but `LONGEST_DELAY`.
        max_attempts: Retries before only events help; -1 without limit, 0 for none.
    """

    initial: float = attrs.field(default=5.0, validator=attrs.validators.ge(0))
    factor: float = attrs.field(default=1.5, validator=attrs.validators.ge(1))
    cap: float | None = None
    max_attempts: int = 15

    def delay(self, attempt: int) -> float | None:
        """Return the seconds before retry number `attempt` (from 1), or None when there is none."""
        if 0 <= self.max_attempts < attempt:
            return None
        ceiling = LONGEST_DELAY if self.cap is None else min(self.cap, LONGEST_DELAY)
        exponent = min(max(0, attempt - 2), 128)
        try:
            return min(self.initial * self.factor**exponent, ceiling)
        except OverflowError:
            return ceiling


class TokenBucket:
    """Lets `burst` through at once and `rate` a second afterwards.

    `reserve` always grants a token and says when it may be used; later callers wait longer.
    """

    def __init__(self, rate: float = 50.0, burst: int = 200) -> None:
        if rate <= 0 or burst < 1:
            msg = f"A bucket needs rate > 0 and burst >= 1, got rate={rate} burst={burst}."
            raise ValueError(msg)
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at: float | None = None

    def reserve(self, now: float) -> float:
        """Take a token and return the seconds until it is valid, 0 when it is valid now."""
        if self._at is not None and now > self._at:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now if self._at is None else max(now, self._at)
        self._tokens -= 1.0
        return max(0.0, -self._tokens / self._rate)


@attrs.frozen
class Window:
    """At most `limit` failed runs of one object in any `period` seconds; `limit <= 0` is off."""

    limit: int = 5
    period: float = 15.0


@attrs.define
class _Failures:
    attempts: int = 0
    recent: deque[float] = attrs.Factory(deque)


class RetryLimiter:
    """Remembers the failures of each object until it succeeds, and answers with waits.

    It keeps nothing about objects that do not fail.
    """

    def __init__(
        self,
        backoff: RetrySchedule | None = None,
        bucket: TokenBucket | None = None,
        window: Window | None = None,
    ) -> None:
        self._backoff = backoff or RetrySchedule()
        self._bucket = bucket
        self._window = window or Window()
        self._failures: dict[Request, _Failures] = {}

    def failed(self, request: Request, now: float) -> float | None:
        """Count a failed run and an attempt; return the wait in seconds, None when exhausted.

        The wait is the longer of the object's backoff and the overall bucket.
        """
        failures = self._record(request, now)
        delay = self._backoff.delay(failures.attempts + 1)
        if delay is None:
            return None
        failures.attempts += 1
        return delay if self._bucket is None else max(delay, self._bucket.reserve(now))

    def failed_for_free(self, request: Request, now: float) -> None:
        """Count a failed run that an event follows up: no attempt is used."""
        self._record(request, now)

    def refund(self, request: Request) -> None:
        """Give back the last attempt: an event came long before its wait was over (L-7)."""
        failures = self._failures.get(request)
        if failures is not None and failures.attempts > 0:
            failures.attempts -= 1

    def revive(self, request: Request) -> None:
        """Start counting anew if all attempts are used up.

        The reference lets an event run such an object once and then forsakes it again. Somebody who
        has just repaired the cause is better served with the retries of a new object.
        """
        failures = self._failures.get(request)
        if failures is not None and self._backoff.delay(failures.attempts + 1) is None:
            failures.attempts = 0

    def held_until(self, request: Request, now: float) -> float:
        """Return the moment before which `request` may not run; `now` or earlier when it may."""
        failures = self._failures.get(request)
        if failures is None or self._window.limit <= 0 or len(failures.recent) < self._window.limit:
            return now
        return failures.recent[0] + self._window.period

    def forget(self, request: Request) -> None:
        """Drop all failures of `request`: it succeeded, or is gone."""
        self._failures.pop(request, None)

    def attempts(self, request: Request) -> int:
        """Return how many retries `request` has used since it last succeeded."""
        failures = self._failures.get(request)
        return 0 if failures is None else failures.attempts

    @property
    def failing(self) -> int:
        """How many objects have failed since their last success."""
        return len(self._failures)

    def _record(self, request: Request, now: float) -> _Failures:
        failures = self._failures.setdefault(request, _Failures())
        if self._window.limit > 0:
            failures.recent.append(now)
            while len(failures.recent) > self._window.limit:
                failures.recent.popleft()
        return failures
