"""Which change leads to a reconcile of which snapshot (behaviour.md 1.2, Q-13, Q-14)."""

import pytest
from fakes.caches import FakeCache, custom_object

from flinkop.controllers.flinkstatesnapshot import signals
from flinkop.controllers.flinkstatesnapshot.watches import Watches
from flinkop.runtime.result import Request
from flinkop.stages import references

OURS = Request("ns", "s")
DELETED = "2026-01-01T00:00:00Z"


def snapshot(name="s", kind="FlinkDeployment", job="basic", state=None, **metadata):
    spec = {"jobReference": {"kind": kind, "name": job}, "savepoint": {}}
    status = {"state": state} if state else None
    return custom_object(name, spec=spec, status=status, **metadata)


def job(state="RUNNING", name="basic", job_id="a", path=None, lifecycle="STABLE", **metadata):
    status = {"state": state, "jobId": job_id, "upgradeSavepointPath": path}
    return custom_object(
        name, status={"jobStatus": status, "lifecycleState": lifecycle}, **metadata
    )


class Queue:
    """Takes what the handlers enqueue."""

    def __init__(self, *snapshots, jobs=()):
        self.taken = []
        known = FakeCache(*snapshots, indexers={signals.WAITING: signals.waiting_for_job})
        session_jobs = FakeCache(
            *jobs, indexers={references.BY_CLUSTER: references.cluster_of_session_job}
        )
        self.watches = Watches(
            lambda request, lane: self.taken.append((request, lane)),
            known.lister,
            session_jobs.lister,
        )

    def after(self, handler, old, new):
        self.taken.clear()
        getattr(self.watches, handler)(old, new)
        return list(self.taken)


@pytest.mark.parametrize(
    ("old", "new", "lane"),
    [
        (None, snapshot(), "user"),
        (None, snapshot(state="COMPLETED"), "resync"),
        (snapshot(uid="old"), snapshot(), "user"),
        (snapshot(), snapshot(generation=2), "user"),
        (snapshot(), snapshot(deletionTimestamp=DELETED), "user"),
        (snapshot(), None, "resync"),
        (snapshot(), snapshot(state="IN_PROGRESS"), None),
        (snapshot(), snapshot(labels={"a": "b"}), None),
        (snapshot(deletionTimestamp=DELETED), snapshot(deletionTimestamp=DELETED), None),
        (None, None, None),
    ],
)
def test_changes_of_the_resource(old, new, lane):
    """L-3: spec, deletion, coming and going; not our own writes of status and labels."""
    expected = [(OURS, lane)] if lane else []
    assert Queue().after("on_snapshot", old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "wakes"),
    [
        (None, job(), True),
        (job("CREATED"), job(), True),
        (job(), job("RECONCILING"), True),
        (job(), job(job_id="b"), True),
        (job(), job(path="s3://p"), True),
        (job(), job(generation=2), True),
        (job(lifecycle="DEPLOYED"), job(lifecycle="FAILED"), True),
        (job(), job(deletionTimestamp=DELETED), True),
        (job(), None, True),
        (job(), job(labels={"a": "b"}), False),
        (job(), job(resourceVersion="9"), False),
        (None, None, False),
    ],
)
@pytest.mark.parametrize("handler", ["on_deployment", "on_session_job"])
def test_changes_of_the_job(handler, old, new, wakes):
    """What a snapshot may wait for: that its job runs, stops, comes, goes, or needs its savepoint no more."""
    kind = {"on_deployment": "FlinkDeployment", "on_session_job": "FlinkSessionJob"}[handler]
    expected = [(OURS, "user")] if wakes else []
    assert Queue(snapshot(kind=kind)).after(handler, old, new) == expected


def test_a_job_of_the_other_kind_or_another_namespace_is_another_job():
    """Equal names mean nothing (Q-14)."""
    queue = Queue(
        snapshot(kind="FlinkSessionJob"), snapshot("t", job="other"), snapshot("u", namespace="x")
    )
    assert queue.after("on_deployment", None, job()) == []


@pytest.mark.parametrize(
    ("found", "wakes"),
    [
        (snapshot(), True),
        (snapshot(state="TRIGGER_PENDING"), True),
        (snapshot(state="IN_PROGRESS"), True),
        (snapshot(state="COMPLETED"), False),
        (snapshot(state="ABANDONED"), False),
        (snapshot(state="FAILED"), False),
        (snapshot(state="COMPLETED", deletionTimestamp=DELETED), True),
        (custom_object("s", spec={"savepoint": {}}), False),
        (custom_object("s", spec={"jobReference": "x"}), False),
    ],
)
def test_only_who_waits_is_woken(found, wakes):
    """Thousands of old snapshots cost a job's change nothing."""
    expected = [(OURS, "user")] if wakes else []
    assert Queue(found).after("on_deployment", None, job()) == expected


def test_a_snapshot_whose_status_cannot_be_read_still_waits():
    """It has not ended, as far as anybody can tell."""
    odd = custom_object("s", spec=snapshot_spec(), status={"state": 5})
    assert Queue(odd).after("on_deployment", None, job()) == [(OURS, "user")]


def snapshot_spec():
    return {"jobReference": {"kind": "FlinkDeployment", "name": "basic"}, "savepoint": {}}


def test_a_session_cluster_concerns_the_snapshots_of_its_jobs():
    """By the jobs that run on it."""
    here = custom_object("here", spec={"deploymentName": "basic"})
    there = custom_object("there", spec={"deploymentName": "other"})
    queue = Queue(
        snapshot("a", kind="FlinkSessionJob", job="here"),
        snapshot("b", kind="FlinkSessionJob", job="there"),
        jobs=[here, there],
    )
    assert queue.after("on_deployment", None, job()) == [(Request("ns", "a"), "user")]


def test_a_status_of_a_job_that_cannot_be_read_is_none():
    """A change of anything else still counts."""
    odd = custom_object(status={"jobStatus": 5})
    assert signals.job_signal(odd) == signals.job_signal(custom_object())
    assert signals.job_signal(None) is None
