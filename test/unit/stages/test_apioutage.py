"""Errors of the API server that say nothing about the resource."""

import random

import pytest

from flinkop.kube import errors
from flinkop.runtime.result import RetryError
from flinkop.stages import apioutage

RNG = random.Random(1)  # noqa: S311 - jitter


def fail(error):
    raise error


def raised(error):
    """What comes out when `error` goes in."""
    try:
        with apioutage.retried(RNG):
            fail(error)
    except Exception as caught:  # noqa: BLE001 - whatever it is
        return caught


def test_a_conflict_is_tried_again_at_once():
    """The object moved on: read it again."""
    found = raised(errors.Conflict("moved", status=409))
    assert isinstance(found, RetryError)
    assert found.retry_after < 0.1


@pytest.mark.parametrize("error", [errors.ServerError("x"), errors.Unreachable("x")])
def test_an_outage_is_waited_for(error):
    """Not all at once, and as long as the server asks."""
    found = raised(error)
    assert isinstance(found, RetryError)
    assert 1 <= found.retry_after <= 10
    assert raised(errors.TooManyRequests("x", retry_after=33.0)).retry_after == 33


@pytest.mark.parametrize("error", [errors.Forbidden("x"), errors.Invalid("x"), ValueError("x")])
def test_what_will_not_pass_is_left_as_it_is(error):
    """Somebody has to hear of it."""
    assert raised(error) is error


def test_no_error_is_no_error():
    """The way through."""
    with apioutage.retried(RNG):
        pass
