"""What is done in a scenario, by a user or by the world, and how one sees that it had its effect."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
from crash.place import Place

from flinkop.kube.meta import FLINKSESSIONJOBS

PERIOD_SECONDS = 2
SILENT: Mapping[str, Any] = {"flinkConfiguration": {"flinksim.submit": "crash"}}
"""A spec with which a JobManager starts and never answers."""
STUCK: Mapping[str, Any] = {
    "jobManager": {"podTemplate": {"spec": {"nodeSelector": {"example.com/no-such": "node"}}}}
}
"""A spec with which a JobManager's pod never runs."""
_LOOK_SECONDS = 0.2


@attrs.frozen
class Deed:
    """Something is done, and after a while something holds.

    Attributes:
        what: in words, for messages: "it is deleted".
        do: does it.
        done: whether what it leads to is there.
    """

    what: str
    do: Callable[[Place], Awaitable[None]]
    done: Callable[[Place], bool]


Done = Callable[[Place], bool]

# --- what one sees


def is_stable(place: Place) -> bool:
    """Whether the present spec is running and known to be good.

    A cluster that was lost stays STABLE while it is brought back, so its readiness counts as well.
    """
    conditions = place.status.get("conditions", ())
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return lifecycle(place) == "STABLE" and ready and _is_observed(place)


def is_suspended(place: Place) -> bool:
    """Whether the job is down, as asked."""
    return lifecycle(place) == "SUSPENDED" and _is_observed(place)


def is_renewed(place: Place) -> bool:
    """Whether another JobManager than before runs the job."""
    return place.job_manager not in {"", place.former} and is_stable(place)


def is_rolled_back(place: Place) -> bool:
    """Whether the last good spec runs again."""
    return lifecycle(place) == "ROLLED_BACK" and job(place).get("state") == "RUNNING"


def is_gone(place: Place) -> bool:
    """Whether the resource is gone."""
    return not place.exists


def has_savepoint(nonce: int) -> Done:
    """Whether the savepoint asked for with `nonce` is recorded."""

    def done(place: Place) -> bool:
        last = job(place).get("savepointInfo", {}).get("lastSavepoint") or {}
        return bool(last.get("triggerNonce") == nonce)

    return done


def has_periodic_savepoints(count: int) -> Done:
    """Whether so many periodic savepoints are recorded."""

    def done(place: Place) -> bool:
        history = job(place).get("savepointInfo", {}).get("savepointHistory") or ()
        periodic = [one for one in history if one.get("triggerType") == "PERIODIC"]
        return len(periodic) >= count

    return done


def session_job_runs(place: Place) -> bool:
    """Whether the session job's present spec runs."""
    status = place.session_job_status
    observed = status.get("observedGeneration", 0) >= place.generation
    return bool(status.get("lifecycleState") == "STABLE" and observed)


def session_job_is_down(place: Place) -> bool:
    """Whether the session job is down, as asked."""
    status = place.session_job_status
    observed = status.get("observedGeneration", 0) >= place.generation
    return bool(status.get("lifecycleState") == "SUSPENDED" and observed)


def lifecycle(place: Place) -> object:
    """Return the state that users see."""
    return place.status.get("lifecycleState")


def job(place: Place) -> dict[str, Any]:
    """Return `status.jobStatus`."""
    found: dict[str, Any] = place.status.get("jobStatus", {})
    return found


def _is_observed(place: Place) -> bool:
    return bool(place.status.get("observedGeneration", 0) >= place.generation)


# --- what is done


def deployed(spec: Mapping[str, Any]) -> Deed:
    """A FlinkDeployment is created."""
    return Deed("is deployed", lambda place: place.create(spec), is_stable)


def changed(done: Done = is_stable, **spec: Any) -> Deed:
    """Its spec is changed."""
    return Deed(f"is changed ({', '.join(spec)})", lambda place: place.change(spec), done)


def suspended() -> Deed:
    """The job is taken down."""
    return changed(is_suspended, job={"state": "suspended"})


def resumed() -> Deed:
    """The job is brought back."""
    return changed(job={"state": "running"})


def robbed_of_job_manager() -> Deed:
    """Somebody deletes the JobManager Deployment."""
    return Deed("loses its JobManager", Place.delete_job_manager, is_renewed)


def deleted() -> Deed:
    """The resource is deleted."""
    return Deed("is deleted", Place.delete, is_gone)


def checkpointed() -> Deed:
    """Nothing is done until a checkpoint of the job is in its HA metadata."""

    async def do(place: Place) -> None:
        while not await place.has_checkpoint():  # noqa: ASYNC110 -- nobody watches ConfigMaps
            await asyncio.sleep(_LOOK_SECONDS)

    return Deed("runs for a while", do, is_stable)


def saved(nonce: int) -> Deed:
    """A savepoint is asked for."""
    return changed(has_savepoint(nonce), job={"savepointTriggerNonce": nonce})


def saved_periodically() -> Deed:
    """Savepoints are to be taken from now on."""
    period = {"kubernetes.operator.periodic.savepoint.interval": f"{PERIOD_SECONDS} s"}
    return changed(has_periodic_savepoints(2), flinkConfiguration=period)


def redeployed_from_savepoint() -> Deed:
    """The job is to start again from the savepoint that was taken last."""

    async def do(place: Place) -> None:
        path = job(place)["savepointInfo"]["lastSavepoint"]["location"]
        await place.change({"job": {"savepointRedeployNonce": 1, "initialSavepointPath": path}})

    return Deed("is redeployed", do, is_renewed)


def broken(**spec: Any) -> Deed:
    """Its spec is changed to one that does not come up, and is rolled back."""
    return changed(is_rolled_back, **spec)


def failed() -> Deed:
    """The job fails for good."""

    async def do(place: Place) -> None:
        place.former = place.job_manager
        place.world.order(place.namespace, place.key().name, {"job": "fail"})

    return Deed("fails", do, is_renewed)


def session_job_submitted(**change: Any) -> Deed:
    """A job whose classes its cluster has is submitted to the session cluster."""
    spec = {"parallelism": 1, "upgradeMode": "stateless", **change}
    return Deed(
        "gets a job", lambda place: place.create_session_job({"job": spec}), session_job_runs
    )


def session_job_changed(done: Done = session_job_runs, **spec: Any) -> Deed:
    """The session job's spec is changed."""
    return Deed("has its job changed", lambda place: place.change(spec, FLINKSESSIONJOBS), done)


def session_job_suspended() -> Deed:
    """The session job is taken down."""
    return session_job_changed(session_job_is_down, job={"state": "suspended"})


def session_job_resumed() -> Deed:
    """The session job is brought back."""
    return session_job_changed(job={"state": "running"})


def session_job_deleted() -> Deed:
    """The session job is deleted; its cluster stays."""
    return Deed(
        "has its job deleted",
        lambda place: place.delete(FLINKSESSIONJOBS),
        lambda place: not place.has_session_job,
    )


def session_cluster_replaced() -> Deed:
    """The cluster of the session job is changed, and recovers it."""

    def done(place: Place) -> bool:
        state = place.session_job_status.get("jobStatus", {}).get("state")
        return is_renewed(place) and state == "RUNNING"

    return changed(done, restartNonce=1)
