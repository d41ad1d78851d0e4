"""What the crash test calls a write, and how a crash is named so that it can be tried again."""

import json

import pytest
from crash import selection
from crash.writes import Point, Relay, Write, name, parse, shown
from fakes.apirequest import parse as request

STATUS = "/apis/flink.apache.org/v1beta1/namespaces/n-7/flinkdeployments/one/status?fieldManager=x"
JOB = "0123456789abcdef" * 2


def api(method, target, **body):
    """The name of a write to the API server."""
    return name(request(method, target, json.dumps(body).encode()), "api")


def flink(method, target):
    """The name of a write to Flink, as it passes the proxy."""
    return name(request(method, target), "flink")


def test_a_write_is_named_by_verb_kind_and_object():
    """The namespace is another in each run, and no part of the name."""
    assert api("PATCH", STATUS) == "patch flinkdeployments/status one"
    services = "/api/v1/namespaces/n-7/services"
    assert api("POST", services, metadata={"name": "one-rest"}) == "create services one-rest"
    assert api("DELETE", f"{services}/one") == "delete services one"


def test_a_dry_run_is_a_write_of_its_own():
    """It comes before the real one, and a crash there is another matter."""
    path = "/apis/apps/v1/namespaces/n-7/deployments"
    body = {"metadata": {"name": "one"}}
    assert api("POST", path, **body) == "create deployments one"
    assert api("POST", f"{path}?dryRun=All", **body) == "create deployments one (dry run)"


def test_an_event_is_named_by_its_reason():
    """Its own name is a hash of its message."""
    path = "/api/v1/namespaces/n-7/events"
    body = {"metadata": {"name": "Job.12345"}, "reason": "Submit"}
    assert api("POST", path, **body) == "create events Submit"


def test_ids_of_jobs_and_jars_and_times_are_left_out_of_names():
    """They differ from run to run."""
    assert flink("PATCH", f"/n-7/one/v1/jobs/{JOB}?mode=cancel") == "PATCH /v1/jobs/*?mode=cancel"
    assert flink("POST", f"/n-7/one/jobs/{JOB}/stop") == "POST /jobs/*/stop"
    jar = "0a1b2c3d-0123456789abcdef_job.jar"
    assert flink("POST", f"/n-7/one/jars/{jar}/run") == "POST /jars/*_job.jar/run"
    maps = f"/api/v1/namespaces/n-7/configmaps/one-{JOB}-config-map"
    assert api("DELETE", maps) == "delete configmaps one-*-config-map"
    snapshots = "/apis/flink.apache.org/v1beta1/namespaces/n-7/flinkstatesnapshots"
    body = {"metadata": {"name": "one-savepoint-manual-1795502928434"}}
    assert api("POST", snapshots, **body) == "create flinkstatesnapshots one-savepoint-manual-*"


@pytest.mark.parametrize(
    "crash",
    [
        Point("upgrade", Write(0, "patch flinkdeployments/status one", 2), "before"),
        Point("upgrade", Write(1, "PATCH /v1/jobs/*?mode=cancel", 1), "after"),
        Relay("suspend-resume", "after"),
    ],
)
def test_a_crash_is_read_from_what_it_is_written_as(crash):
    """So that a line of a report is enough to repeat it."""
    assert parse(str(crash)) == crash


@pytest.mark.parametrize(
    "text",
    ["upgrade", "upgrade:0", "upgrade:relay", "upgrade:0:create x:1:during", "upgrade:x:y:1:after"],
)
def test_what_names_no_crash_is_refused(text):
    """The command line says so then."""
    with pytest.raises(ValueError, match=r"\w"):
        parse(text)


def test_a_long_body_is_cut():
    """A line of a report is to be read."""
    text = shown(request("POST", "/x", b"x" * 1000))
    assert len(text) < 200
    assert text.endswith("…")


def test_when_it_has_to_be_quick_relays_and_writes_to_flink_are_tried():
    """What is named is tried all the same."""
    cancel = Point("upgrade", Write(0, "PATCH /v1/jobs/*?mode=cancel", 1), "after")
    status = Point("upgrade", Write(0, "patch flinkdeployments/status one", 1), "after")
    crashes = (cancel, status, Relay("upgrade", "before"))
    quick, full = selection.chosen((), quick=True), selection.chosen((), quick=False)
    assert [quick(crash) for crash in crashes] == [True, False, True]
    assert all(full(crash) for crash in crashes)
    named = selection.chosen([status], quick=True)
    assert [named(crash) for crash in crashes] == [False, True, False]
