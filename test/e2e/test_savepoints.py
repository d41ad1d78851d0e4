"""Savepoints and checkpoints of a FlinkDeployment: asked for, periodic, of upgrades (behaviour.md 8.2, 8.3)."""

import pytest
from fakes.flinkuser import stateful
from fakes.snapshotuser import snapshots_of

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LEGACY = {"kubernetes.operator.snapshot.resource.enabled": "false"}
PERIODIC = "kubernetes.operator.periodic.savepoint.interval"


def info(obj):
    """`status.jobStatus.savepointInfo`."""
    return obj["status"]["jobStatus"].get("savepointInfo", {})


def wait_snapshot(cluster, kind, trigger):
    """Wait until there is a completed snapshot of the job; returns it."""
    prefix = f"{cluster.name}-{kind}-{trigger}-"

    def look(objects):
        found = [one for name, one in objects.items() if name.startswith(prefix)]
        done = [one for one in found if one.get("status", {}).get("state") == "COMPLETED"]
        return done[-1] if done else None

    return cluster.api.until(snapshots_of(cluster.place), look)


def test_a_savepoint_by_nonce_without_resources(place):
    """Application operations: the trigger comes and goes in the status, the last savepoint stays."""
    cluster = place.stable(stateful("last-state", flinkConfiguration=LEGACY)).wait_checkpoint()
    cluster.change(job={"savepointTriggerNonce": 123456})
    obj = cluster.until(lambda obj: info(obj).get("lastSavepoint"))
    last = info(obj)["lastSavepoint"]
    assert last["location"].startswith("file:/data/savepoints/savepoint-")
    assert (last["triggerType"], last["triggerNonce"]) == ("MANUAL", 123456)
    assert "triggerId" not in info(obj)
    assert "triggerTimestamp" not in info(obj)
    assert cluster.sim()["calls"]["POST /jobs/:jobid/savepoints"] == 1
    cluster.wait_stable(cluster.change(job={"parallelism": 1}))
    assert "chk-" in cluster.runs()[-1]["restored_from"]


def test_a_checkpoint_by_nonce_without_resources(place):
    """checkpointInfo tells of it."""
    cluster = place.stable(stateful("last-state", flinkConfiguration=LEGACY)).wait_checkpoint()
    cluster.change(job={"checkpointTriggerNonce": 7})

    def done(obj):
        return obj["status"]["jobStatus"].get("checkpointInfo", {}).get("lastCheckpoint")

    obj = cluster.until(done)
    assert done(obj)["triggerNonce"] == 7
    assert done(obj)["formatType"] == "FULL"


def test_the_snapshot_scenario(place):
    """behaviour.md 8.3, phases 1 and 3 to 6, one after the other on one job."""
    cluster = place.stable(stateful("savepoint", flinkConfiguration=LEGACY)).wait_checkpoint()
    # 1: suspended; the path is moved to where older releases kept it; resumed from there
    options = {"kubernetes.operator.savepoint.format.type": "NATIVE"}
    generation = cluster.change(job={"state": "suspended"}, flinkConfiguration=options)
    cluster.wait_lifecycle("SUSPENDED", generation)
    path = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert path
    old = {"timeStamp": 0, "location": path, "triggerNonce": 0}
    cluster.change_status(
        jobStatus={"upgradeSavepointPath": None, "savepointInfo": {"lastSavepoint": old}}
    )
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert cluster.runs()[-1]["restored_from"] == path
    # 3, 4: by nonce, as resources
    cluster.change(flinkConfiguration={"kubernetes.operator.snapshot.resource.enabled": "true"})
    cluster.change(job={"savepointTriggerNonce": 123456})
    assert wait_snapshot(cluster, "savepoint", "manual")["status"]["path"]
    assert "triggerId" not in info(cluster.get())
    cluster.change(job={"checkpointTriggerNonce": 123456})
    assert wait_snapshot(cluster, "checkpoint", "manual")["status"]["path"]
    # 5: periodic, then switched off by its neutral value
    cluster.change(flinkConfiguration={PERIODIC: "1 s"})
    assert wait_snapshot(cluster, "savepoint", "periodic")["status"]["path"]
    cluster.change(flinkConfiguration={PERIODIC: ""})
    # 6: the savepoint of a suspension is registered, and the resume starts from it
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    path = cluster.status["jobStatus"]["upgradeSavepointPath"]
    assert wait_snapshot(cluster, "savepoint", "upgrade")["status"]["path"] == path
    cluster.wait_stable(cluster.change(job={"state": "running"}))
    assert cluster.runs()[-1]["restored_from"] == path
    assert [run["lost"] for run in cluster.runs()] == [0, 0, 0]


def test_periodic_savepoints_and_their_history(place):
    """One a second, two are kept; the files of the others go, the one in use never."""
    options = {
        **LEGACY,
        PERIODIC: "1 s",
        "kubernetes.operator.savepoint.history.max.count": "2",
    }
    cluster = place.stable(stateful("savepoint", flinkConfiguration=options))
    cluster.wait_sim(lambda sim: sim["calls"].get("POST /savepoint-disposal", 0) >= 2)
    cluster.until(lambda obj: 2 <= len(info(obj).get("savepointHistory", ())) <= 3)
    assert info(cluster.get())["lastPeriodicSavepointTimestamp"] > 0


def test_periodic_snapshots_as_resources_are_tidied_up(place):
    """Old ones are deleted by number; the newest stay."""
    options = {PERIODIC: "1 s", "kubernetes.operator.savepoint.history.max.count": "2"}
    cluster = place.stable(stateful("savepoint", flinkConfiguration=options))
    seen = set()

    def look(objects):
        mine = {name for name in objects if name.startswith(f"{cluster.name}-savepoint-periodic-")}
        seen.update(mine)
        return len(seen) >= 4 and len(mine) <= 3

    cluster.api.until(snapshots_of(place), look)
