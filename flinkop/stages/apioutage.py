"""What an API server that is busy or unwell does to a reconcile: it comes again, and nobody is told."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flinkop.kube import errors
from flinkop.runtime.result import RetryError

_CONFLICT_SECONDS: Final = 0.05
_OUTAGE_SECONDS: Final = (1.0, 10.0)
"""Spread over all resources, so that the end of an outage is no stampede."""


@contextmanager
def retried(rng: random.Random) -> Iterator[None]:
    """Turn errors of the API server that may pass by themselves into RetryError.

    Raises:
        RetryError: the object moved on meanwhile, or the API server is unwell; neither uses up an
            attempt, because neither says anything about the resource.
    """
    try:
        yield
    except errors.Conflict as error:
        raise RetryError(f"changed meanwhile: {error}", _CONFLICT_SECONDS) from error
    except errors.ApiError as error:
        if not error.transient:
            raise
        wait = error.retry_after or rng.uniform(*_OUTAGE_SECONDS)
        raise RetryError(f"the API server is unwell: {error}", wait) from error
