"""What `make e2e-real` says before it has a cluster, and at its end."""

import pytest

from hack.clusters.progress import Progress
from hack.real import commands, jobjar
from hack.real.errors import NotPossibleError
from hack.real.nodes import nodes
from hack.real.outcome import Outcome
from hack.real.scripts import Scripts

REPORT = """\
<testsuites><testsuite name="pytest">
<testcase classname="test.real.test_state" name="test_savepoint[True]" time="61.5"/>
<testcase classname="test.real.test_state" name="test_pods" time="2"><failure message="no"/></testcase>
<testcase classname="test.real.test_inside" name="test_rights" time="0"><skipped message="no image"/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """An environment that names neither a cluster nor a folder that is there."""
    for name in ("KUBECONFIG", "FLINKOP_REAL_KUBECONFIG", "FLINKOP_REAL_IMAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLINKOP_REALCLUSTER", str(tmp_path / "nowhere"))
    monkeypatch.setenv("W", str(tmp_path / "work"))
    return tmp_path


def enter(folder, *, smoke):
    """Ask for a cluster."""
    with nodes(["1.20.5"], Progress(quiet=True), folder / "log", smoke=smoke) as found:
        return found


def test_without_any_cluster_it_says_what_it_needs(nothing):
    """Both ways out are named."""
    with pytest.raises(NotPossibleError) as raised:
        enter(nothing, smoke=False)
    for word in ("FLINKOP_REAL_KUBECONFIG", "FLINKOP_REALCLUSTER", "nowhere"):
        assert word in str(raised.value)


def test_a_cluster_that_is_given_is_taken(nothing, monkeypatch):
    """Its images are those that are named for it."""
    monkeypatch.setenv("KUBECONFIG", "/some/config")
    monkeypatch.setenv("FLINKOP_REAL_IMAGE", "mine/flink:{version}")
    found = enter(nothing, smoke=False)
    assert str(found.kubeconfig) == "/some/config"
    assert found.image == "mine/flink:{version}"


def test_a_smoke_run_keeps_off_a_cluster_that_was_not_named_for_it(nothing, monkeypatch):
    """KUBECONFIG may be anybody's production."""
    monkeypatch.setenv("KUBECONFIG", "/some/config")
    with pytest.raises(NotPossibleError):
        enter(nothing, smoke=True)


def test_what_has_to_be_built_first_is_named(nothing):
    """Programs and images that are there are left out."""
    scripts = Scripts(nothing / "log")
    (scripts.work / "images").mkdir(parents=True)
    scripts.image_file("flink-1.20.5").touch()
    unbuilt = scripts.unbuilt(["1.20.5", "2.2.1"])
    assert "flink 2.2.1" in unbuilt
    assert "flink 1.20.5" not in unbuilt
    assert "kubelet" in unbuilt


def test_a_command_that_fails_ends_with_its_last_lines(tmp_path):
    """One need not look for the log."""
    with pytest.raises(NotPossibleError, match="out of luck"):
        commands.run(["sh", "-c", "echo out of luck; exit 3"], tmp_path / "log", limit=10)


def test_a_command_that_takes_too_long_is_ended(tmp_path):
    """And that is said."""
    with pytest.raises(NotPossibleError, match="did not end"):
        commands.run(["sleep", "60"], tmp_path / "log", limit=0.2)


def test_the_last_line_counts_scenarios(tmp_path):
    """Each scenario has a line with its time before it."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    outcome = Outcome()
    outcome.add("1.20.5", report)
    said = outcome.summary(90.2).splitlines()
    assert said[-1] == "==== 1 scenarios passed, 1 failed, 1 not run in 90 s ===="
    assert "   61.5 s  ok       1.20.5 state: savepoint[True]" in said
    assert "failed: 1.20.5 state: pods" in said


def test_no_report_is_a_failure(tmp_path):
    """Pytest ended before it could write one."""
    outcome = Outcome()
    outcome.add("2.2.1", tmp_path / "report.xml")
    assert outcome.failed


def test_a_jar_that_is_named_need_not_be_compiled(monkeypatch):
    """For machines without a JDK."""
    monkeypatch.setenv("FLINKOP_REAL_JOB", "/some/numbers.jar")
    assert str(jobjar.ready()) == "/some/numbers.jar"
