"""Verdicts follow from what others tell."""

import pytest

from flinkop.health.probes import (
    Check,
    InformerState,
    Regression,
    judge,
    leading,
    limited,
    started,
    synced,
)


def informers(text):
    """Make informers from e.g. `a b! c`: a and c are in step, b is not."""
    return [InformerState(word.rstrip("!"), not word.endswith("!")) for word in text.split()]


def complaint(check):
    """Ask one check."""
    return judge([check]).findings[0].complaint


def test_no_checks():
    """Nothing to complain about is good."""
    assert judge([]).good


def test_one_failure_is_enough():
    """The verdict names every check, failing ones marked."""
    verdict = judge([Check("a", lambda: None), Check("b", lambda: "broken")])
    assert not verdict.good
    assert str(verdict) == "[+]a ok\n[-]b broken"


def test_a_check_that_raises_has_failed():
    """The error becomes the complaint."""
    verdict = judge([Check("a", lambda: str(1 // 0))])
    assert not verdict.good
    assert "ZeroDivisionError" in str(verdict)


def test_started():
    """It fails until the start-up is over."""
    assert complaint(started(lambda: False)) == "still starting"
    assert complaint(started(lambda: True)) is None


def test_standby_is_well():
    """Not leading is told and does no harm."""
    verdict = judge([leading(lambda: False)])
    assert verdict.good
    assert str(verdict) == "[ ]leading standing by"
    assert str(judge([leading(lambda: True)])) == "[+]leading ok"


def test_synced():
    """Every informer must be in step; those that are not are named."""
    assert complaint(synced(lambda: informers("a b"))) is None
    assert complaint(synced(lambda: informers("a b! c!"))) == "not in step: b, c"
    detailed = [InformerState("pods", synced=False, detail="forbidden")]
    assert complaint(synced(lambda: detailed)) == "not in step: pods (forbidden)"


def test_many_names():
    """After five names the rest is counted."""
    found = complaint(synced(lambda: informers("a! b! c! d! e! f! g!")))
    assert found == "not in step: a, b, c, d, e and 2 more"


def test_limited():
    """What cannot see everything is told, and fails nothing."""
    forbidden = InformerState("pods in b", synced=True, detail="forbidden")
    check = limited(lambda: [InformerState("pods in a", synced=True), forbidden])
    assert complaint(check) == "pods in b (forbidden)"
    assert judge([check]).good


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ("a b c", None),
        ("a b! c!", None),
        ("a b! | a b!", None),
        ("a b! | a! b!", "no informer works: a, b"),
        ("a b c! | a b! c!", "stopped working: b"),
        ("a b! | a b | a b!", "stopped working: b"),
        ("a b! | a b | a b! | a b", None),
        ("a! | a!", "no informer works: a"),
        ("", None),
    ],
)
def test_regression(history, expected):
    """What was unhealthy at the start is tolerated until it recovers; nothing else is."""
    states = [informers(text) for text in history.split("|")]
    now = iter([*states, states[-1]])
    regression = Regression(lambda: next(now))
    regression.start_watching()
    check = regression.check()
    found = [complaint(check) for _ in states]
    assert found[-1] == expected


def test_regression_during_start():
    """Nothing is a failure before the start-up is done."""
    assert complaint(Regression(lambda: informers("a!")).check()) is None
