"""When a failed call is sent again, and after how long; pure."""

import random

from attrs import frozen

from flinkop.kube.errors import ApiError, ServerError, TooManyRequests


@frozen
class RetryPolicy:
    """Retries what the API server asks to retry, with full jitter on top of its Retry-After.

    429 means that the call was not carried out, so any verb is sent again. A 5xx with Retry-After is
    sent again for idempotent verbs only: a create may have been carried out. Anything else goes to
    the caller, whose own backoff is longer.

    Attributes:
        base: seconds; the jitter's bound after the first failure, doubled with each further one.
        cap: seconds; the jitter's largest bound.
    """

    base: float = 0.2
    cap: float = 10.0

    def wait(
        self, error: ApiError, attempt: int, *, idempotent: bool, rng: random.Random
    ) -> float | None:
        """Return seconds to wait before the next attempt, or None to give up.

        Args:
            error: what the attempt ended with.
            attempt: 0 for the first.
            idempotent: whether sending twice does no harm.
            rng: source of jitter.
        """
        if isinstance(error, TooManyRequests):
            asked = error.retry_after if error.retry_after is not None else 1.0
        elif isinstance(error, ServerError) and idempotent and error.retry_after is not None:
            asked = error.retry_after
        else:
            return None
        return asked + rng.uniform(0, min(self.cap, self.base * 2.0 ** min(attempt, 16)))
