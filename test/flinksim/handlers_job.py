"""REST handlers for jobs."""

from typing import Any

from flinksim import shapes_checkpoint, shapes_job
from flinksim.answer import Call, Refusal, refuse, server_error, trace
from flinksim.job import Operation


def overview(call: Call) -> Any:
    return {"jobs": [shapes_job.overview(job) for job in call.manager.jobs.values()]}


def ids(call: Call) -> Any:
    return {"jobs": [{"id": job.id, "status": job.state} for job in call.manager.jobs.values()]}


def details(call: Call) -> Any:
    return shapes_job.details(call.job())


def config(call: Call) -> Any:
    return shapes_job.config(call.job())


def plan(call: Call) -> Any:
    return shapes_job.plan(call.job())


def exceptions(call: Call) -> Any:
    limit = call.query.get("maxExceptions")
    return shapes_job.exceptions(call.job(), int(limit) if limit else None)


def execution_result(call: Call) -> Any:
    return shapes_job.execution_result(call.job())


def metrics(call: Call) -> Any:
    return select(call, shapes_job.metrics(call.job()))


def select(call: Call, values: dict[str, str]) -> list[dict[str, str]]:
    wanted = call.query.get("get")
    if not wanted:
        return [{"id": name} for name in values]
    return [{"id": name, "value": values[name]} for name in wanted.split(",") if name in values]


def cancel(call: Call) -> Any:
    job_id = call.parameters["jobid"]
    job = call.manager.jobs.get(job_id)
    if job is None:
        raise refuse(404, "Job could not be found.")
    if job.is_terminal and job.state != "CANCELED":
        text = f"Job cancellation failed because the job has already reached another terminal state ({job.state})."
        raise refuse(409, text)
    job.cancel()
    return None


# --- savepoints


def stop(call: Call) -> Any:
    job = call.manager.jobs.get(call.parameters["jobid"])
    if job is None:
        return _in_vain(call, "stop")
    target = _target(call, "targetDirectory")
    operation_id = job.trigger_savepoint(
        target,
        _format(call),
        trigger_id=call.body.get("triggerId"),
        stop=True,
        drain=bool(call.body.get("drain")),
    )
    return {"request-id": operation_id}


def trigger_savepoint(call: Call) -> Any:
    job = call.manager.jobs.get(call.parameters["jobid"])
    if job is None:
        return _in_vain(call, "savepoint")
    target = _target(call, "target-directory")
    return {
        "request-id": job.trigger_savepoint(
            target, _format(call), trigger_id=call.body.get("triggerId")
        )
    }


def savepoint_status(call: Call) -> Any:
    return shapes_job.operation(_operation(call, "savepoint", "stop"))


def trigger_checkpoint(call: Call) -> Any:
    job = call.manager.jobs.get(call.parameters["jobid"])
    if job is None:
        return _in_vain(call, "checkpoint")
    return {"request-id": job.trigger_checkpoint(call.body.get("triggerId"))}


def checkpoint_status(call: Call) -> Any:
    return shapes_job.checkpoint_operation(_operation(call, "checkpoint"))


def checkpoints(call: Call) -> Any:
    job = call.job()
    if not shapes_job.has_tasks(job):
        raise refuse(404, "Checkpointing has not been enabled.")
    return shapes_checkpoint.statistics(job)


def checkpoint_details(call: Call) -> Any:
    job = call.job()
    record = job.checkpoints.find(int(call.parameters["checkpointid"]))
    if record is None:
        raise refuse(
            404,
            f"Could not find checkpointing statistics for checkpoint {call.parameters['checkpointid']}.",
        )
    return shapes_checkpoint.record(job, record)


def checkpoint_config(call: Call) -> Any:
    return shapes_checkpoint.config(call.job())


def _format(call: Call) -> str | None:
    if call.version < (1, 15):
        return None
    return str(call.body.get("formatType") or "CANONICAL")


def _target(call: Call, name: str) -> str:
    target = call.body.get(name) or call.manager.settings.savepoint_dir
    if not target:
        key = (
            "state.savepoints.dir"
            if call.version < (1, 20)
            else "execution.checkpointing.savepoint-dir"
        )
        raise refuse(400, f"Config key [{key}] is not set. Property [{name}] must be provided.")
    return str(target)


def _in_vain(call: Call, kind: str) -> Any:
    asked = call.manager.trigger_in_vain(call.parameters["jobid"], kind, call.body.get("triggerId"))
    return {"request-id": asked}


def _operation(call: Call, *kinds: str) -> Operation:
    job = call.manager.jobs.get(call.parameters["jobid"])
    known = job.operations if job else call.manager.vain
    found = known.get(call.parameters["triggerid"])
    if found is None or found.kind not in kinds:
        text = f"Operation not found under key: AsynchronousJobOperationKey{{triggerId={call.parameters['triggerid']}}}"
        raise Refusal(404, trace("org.apache.flink.runtime.rest.NotFoundException", text))
    return found


# --- parallelism


def requirements(call: Call) -> Any:
    job = call.job()
    _require_adaptive(call)
    return shapes_job.requirements(job)


def put_requirements(call: Call) -> Any:
    job = call.job()
    _require_adaptive(call)
    bounds = {key: value["parallelism"] for key, value in call.body.items()}
    if set(bounds) != {vertex.id for vertex in job.vertices}:
        raise refuse(400, f"Not all vertices of job {job.id} are specified, or unknown ones are.")
    changed = False
    for vertex in job.vertices:
        lower, upper = int(bounds[vertex.id]["lowerBound"]), int(bounds[vertex.id]["upperBound"])
        if not 0 < lower <= upper:
            raise refuse(400, f"Invalid bounds for vertex {vertex.id}: {lower} to {upper}.")
        vertex.lower, vertex.upper = lower, upper
        changed |= vertex.parallelism != upper
    if changed and not job.is_terminal:
        for vertex in job.vertices:
            vertex.parallelism = vertex.upper
        job.rescale()
    return {}


def _require_adaptive(call: Call) -> None:
    if not call.manager.settings.adaptive:
        text = "The DefaultScheduler does not support changing the parallelism without a restart of the job."
        raise server_error("java.lang.UnsupportedOperationException", text)
