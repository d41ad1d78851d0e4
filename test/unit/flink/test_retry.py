"""Retries: what is tried again, for how long, and how that ends."""

import asyncio

import pytest

from flinkop.flink import errors, retry

pytestmark = pytest.mark.virtual_time

REFUSED = errors.Unreachable("refused", sent=False)
CUT = errors.Unreachable("cut", sent=True)
STARTING = errors.from_answer(503, b"")


class Attempts:
    """Fails as told, then answers."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.given = []

    async def __call__(self, seconds):
        self.given.append(seconds)
        if self.failures:
            failure = (
                self.failures[0]
                if len(self.failures) == 1 and self.forever
                else self.failures.pop(0)
            )
            raise failure
        return "answer"

    forever = False


async def until_answered(attempts, *, idempotent=True):
    return await retry.until_answered(
        attempts, timeout=10.0, idempotent=idempotent, jitter=lambda: 0.999
    )


async def test_first_answer():
    """An answer is returned at once, with all the time given to the first attempt."""
    attempts = Attempts()
    assert await until_answered(attempts) == "answer"
    assert attempts.given == [10.0]
    assert asyncio.get_running_loop().time() == 0


async def test_refused_and_starting_are_tried_again():
    """Refused connections and 503 are tried again after 0.2 s, 0.4 s, ... (S-3)."""
    assert await until_answered(Attempts(REFUSED, STARTING)) == "answer"
    assert asyncio.get_running_loop().time() == pytest.approx(0.6, rel=0.01)


async def test_pause_is_bounded():
    """No pause is longer than two seconds, however many failed."""
    pauses = [retry.delay(attempt, lambda: 1.0) for attempt in (1, 2, 3, 4, 5, 1000)]
    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 2.0, 2.0])


async def test_time_runs_out():
    """A JobManager that stays away is a Timeout within the caller's time, caused by the last failure."""
    attempts = Attempts(REFUSED)
    attempts.forever = True
    with pytest.raises(errors.Timeout, match="refused") as caught:
        await until_answered(attempts)
    assert caught.value.__cause__ is REFUSED
    assert asyncio.get_running_loop().time() < 10


@pytest.mark.parametrize("body", [b'{"errors":["Job x not found"]}', b""])
@pytest.mark.parametrize("status", [400, 404, 409, 500])
async def test_other_answers_are_final(status, body):
    """Any other status is raised at once (S-4)."""
    with pytest.raises(errors.HttpError):
        await until_answered(Attempts(errors.from_answer(status, body)))
    assert asyncio.get_running_loop().time() == 0


async def test_cut_connection_of_a_trigger():
    """A request that may have arrived and must not run twice is not repeated."""
    with pytest.raises(errors.Unreachable):
        await until_answered(Attempts(CUT), idempotent=False)
    assert await until_answered(Attempts(REFUSED), idempotent=False) == "answer"
    assert await until_answered(Attempts(CUT), idempotent=True) == "answer"
