"""Pictures of what a scenario led to: equal when only what differs by nature differs."""

import copy

from attrs import evolve
from crash.picture import difference, picture
from flinksim.ledger import Run

UID = "4c5891d0-2a4a-4fec-b3bd-c377a5540d18"
OTHER_UID = "11111111-2222-3333-4444-555555555555"
JOB = "0123456789abcdef" * 2
RUN = Run(JOB, "jm", 10.0, None, 0, 0, running_since=11.0)


def resource(namespace="n-1", uid=UID, job=JOB, at="2026-11-24T06:48:49Z", **status):
    """A FlinkDeployment as it is stored."""
    return {
        "kind": "FlinkDeployment",
        "metadata": {
            "name": "one",
            "namespace": namespace,
            "uid": uid,
            "resourceVersion": uid[:3],
            "generation": 1,
            "managedFields": [{"time": at}],
        },
        "status": {
            "jobStatus": {"jobId": job, "state": "RUNNING", "startTime": "1795502928434"},
            "conditions": [{"type": "Ready", "lastTransitionTime": at}],
            "reconciliationStatus": {"reconciliationTimestamp": 1795502927670},
            **status,
        },
    }


def pod(name, phase="Running"):
    """A JobManager pod."""
    labels = {"component": "jobmanager"}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": name, "labels": labels},
        "status": {"phase": phase},
    }


def config_map(name, data, **metadata):
    """A ConfigMap."""
    return {"kind": "ConfigMap", "metadata": {"name": name, "uid": name, **metadata}, "data": data}


def taken(*objects, namespace="n-1", runs=(RUN,), savepoints=0, vague=()):
    """The picture of a namespace."""
    return picture(objects, runs, savepoints, namespace=namespace, vague=vague)


def test_times_ids_and_names_of_the_run_do_not_count():
    """Two runs that did the same look the same, wherever and whenever they did it."""
    other_job = "f" * 32
    first = taken(resource(), pod("one-a"))
    second = taken(
        resource("n-22", OTHER_UID, other_job, "2027-01-01T00:00:00Z"),
        pod("one-b"),
        namespace="n-22",
        runs=(evolve(RUN, job_id=other_job, started=99.0),),
    )
    assert first == second
    assert difference(first, second) == ""


def test_the_size_of_the_state_does_not_count():
    """It is in the status if a checkpoint was there when the operator looked."""
    sized = resource(clusterInfo={"flink-version": "1.20", "state-size": "4541"})
    assert taken(sized) == taken(resource(clusterInfo={"flink-version": "1.20"}))


def test_a_job_that_is_not_the_one_in_the_status_is_seen():
    """The id that the status names has to be the one of the run."""
    wrong = taken(resource(), runs=(evolve(RUN, job_id="f" * 32),))
    assert wrong != taken(resource())
    assert "<other id>" in difference(taken(resource()), wrong)


def test_what_the_status_says_counts():
    """A field more, another state: a difference, told line by line."""
    failed = copy.deepcopy(resource())
    failed["status"]["jobStatus"]["state"] = "FAILED"
    told = difference(taken(resource()), taken(failed))
    assert '-     "state": "RUNNING"' in told
    assert '+     "state": "FAILED"' in told
    assert taken(resource(error="x")) != taken(resource())


def test_runs_pods_and_savepoints_count():
    """How many there are, and what became of them."""
    usual = taken(resource(), pod("one-a"))
    assert taken(resource(), pod("one-a"), pod("one-b")) != usual
    assert taken(resource(), pod("one-a", "Pending")) != usual
    assert taken(resource(), pod("one-a"), runs=(RUN, RUN)) != usual
    assert taken(resource(), pod("one-a"), runs=(evolve(RUN, ended=12.0),)) != usual
    assert taken(resource(), pod("one-a"), savepoints=1) != usual


def test_of_flinks_own_config_maps_only_the_keys_count():
    """Which checkpoint is the newest depends on the moment; that there is one does not."""

    def found(number, pointer):
        return taken(
            config_map(f"one-{JOB}-config-map", {f"checkpointID-{number}": pointer}), resource()
        )

    assert found("0000000000000000001", "a") == found("0000000000000000017", "b")
    assert found("0000000000000000001", "a") != taken(resource())


def test_the_operators_config_maps_count_with_all_they_hold():
    """A JobManager starts from what is in them."""
    owner = {"ownerReferences": [{"uid": UID}]}
    one = config_map("flink-config-one", {"config.yaml": "a: 1"}, **owner)
    other = config_map("flink-config-one", {"config.yaml": "a: 2"}, **owner)
    assert taken(one) != taken(other)


def test_what_is_vague_on_purpose_does_not_count():
    """How many periodic savepoints there are depends on how long the run took."""
    one = resource(jobStatus={"savepointInfo": {"count": 1}, "state": "RUNNING"})
    two = resource(jobStatus={"savepointInfo": {"count": 2}, "state": "RUNNING"})
    vague = ("Savepoints", "FlinkDeployment/status/jobStatus/savepointInfo")
    assert taken(one, savepoints=1) != taken(two, savepoints=2)
    assert taken(one, savepoints=1, vague=vague) == taken(two, savepoints=2, vague=vague)


def test_json_inside_a_text_is_told_as_json():
    """A recorded spec that differs shows where."""
    status = {"lastReconciledSpec": '{"spec": {"image": "a"}}'}
    told = difference(
        taken(resource(reconciliationStatus=status)),
        taken(resource(reconciliationStatus={"lastReconciledSpec": '{"spec": {"image": "b"}}'})),
    )
    assert '"image": "b"' in told
