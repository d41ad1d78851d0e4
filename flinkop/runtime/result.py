"""What goes into a reconcile and what comes out: a name, a wish for the next run, or an error.

A `Request` carries a name and never the event that caused it: a reconcile looks at the present
state, so ten events about one object are as good as one.

An error says itself how it wants to be retried:

- any exception: again after the queue's backoff (behaviour.md L-7);
- one with a `retry_after` in seconds (`RetryError`, or an answer of the API server that carried
  `Retry-After`): again after that time, without using up an attempt;
- `TerminalError`: not again until something changes.
"""

from collections.abc import Iterator
from typing import Literal

import attrs

Lane = Literal["user", "resync"]
"""`user`: a person or the cluster just changed something. `resync`: timers, retries, full relists."""


@attrs.frozen(slots=True, cache_hash=True)
class Request:
    """Names one object to reconcile; `namespace` is empty for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@attrs.frozen(slots=True)
class Result:
    """How a reconcile that went well wants to go on.

    Attributes:
        requeue_after: Seconds until the next look; None leaves it to events and the idle timer.
        lane: Where the next look queues. `user` suits the short probes of a transition that
            someone waits for, `resync` the periodic observation of a steady resource.
        gone: Whether there is no such object any more: only an event leads to a next look.
    """

    requeue_after: float | None = None
    lane: Lane = "resync"
    gone: bool = False


class RetryError(Exception):
    """Not done yet, for a known reason; try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TerminalError(Exception):
    """Trying again cannot help until the object or its surroundings change."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the single errors inside `error`, which may be an exception group of any depth."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


def retry_after_of(error: BaseException) -> float | None:
    """Return the longest `retry_after` that `error` or its parts ask for, in seconds, or None.

    In a group every part has to name a time: one part that names none leaves it to the backoff.
    """
    waits: list[float] = []
    for leaf in leaves(error):
        wait = getattr(leaf, "retry_after", None)
        if not isinstance(wait, int | float) or isinstance(wait, bool) or wait != wait:  # noqa: PLR0124 - NaN
            return None
        waits.append(max(0.0, float(wait)))
    return max(waits, default=None)


def is_terminal(error: BaseException) -> bool:
    """Tell whether `error`, or every part of a group, is a `TerminalError`."""
    return all(isinstance(leaf, TerminalError) for leaf in leaves(error))
