"""The runner behind `make test`: what it counts and what it says at the end."""

import sys

import pytest

from hack import test as runner

REPORT = """\
<testsuites><testsuite name="pytest" tests="7" failures="1" errors="1" skipped="2"/></testsuites>
"""


@pytest.fixture
def reports(tmp_path, monkeypatch):
    """Reports are read from a directory of the test's own."""
    monkeypatch.setattr(runner, "REPORTS", tmp_path)
    return tmp_path


def step(name, *arguments, is_pytest=False, limit=60.0):
    """A step that runs this interpreter."""
    return runner.Step(name, (sys.executable, *arguments), limit, is_pytest)


def test_outcomes_are_counted_from_the_report(reports):
    """What neither failed nor was skipped has passed."""
    (reports / "unit.xml").write_text(REPORT)
    counts = runner.counts_of(step("unit", is_pytest=True))
    assert counts == {"passed": 3, "failed": 1, "errors": 1, "skipped": 2}


def test_no_report_counts_nothing(reports):
    """Pytest may have ended before it could write one."""
    assert runner.counts_of(step("unit", is_pytest=True)) == {}


def test_a_step_that_fails_is_told_with_its_code(reports):
    """The exit code of the program is the step's."""
    ended = runner.run(step("lint", "-c", "raise SystemExit(3)"), [])
    assert ended.code == 3
    assert "FAILED (3)" in ended.words


def test_a_step_that_has_nothing_to_run_on_is_told_apart(reports):
    """It says why itself; nothing is wrong with what is tested."""
    ended = runner.run(step("real", "-c", f"raise SystemExit({runner.NOT_RUN})"), [])
    assert not ended.failed
    assert "not run" in ended.words


def test_a_step_that_hangs_is_ended(reports):
    """Its time is limited, and the summary says so."""
    ended = runner.run(step("types", "-c", "import time; time.sleep(60)", limit=0.3), [])
    assert ended.code == runner.TIMED_OUT
    assert "no end after" in ended.words


def test_the_summary_totals_tests_and_names_what_did_not_run():
    """Its last line reads like pytest's own; failed steps are named before it."""
    unit = runner.Ended(step("unit"), 0, 2.0, {"passed": 5, "failed": 0})
    e2e = runner.Ended(step("e2e"), 1, 3.0, {"passed": 1, "failed": 1})
    said = runner.summary([unit, e2e], [unit.step, e2e.step, step("later")]).splitlines()
    assert said[-1] == "==== 6 passed, 1 failed in 5.0s ===="
    assert said[-2] == "failed: e2e"
    assert "later" in said[-3]
    assert "did not run" in said[-3]
