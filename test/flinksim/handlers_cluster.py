"""REST handlers for the cluster, its jars and disposals."""

from typing import Any

from flinksim import shapes_cluster, shapes_job
from flinksim.answer import Call, Refusal, refuse, server_error, trace
from flinksim.handlers_job import select
from flinksim.jobmanager import DuplicateJobError


def overview(call: Call) -> Any:
    return shapes_cluster.overview(call.cluster, call.manager)


def config(call: Call) -> Any:
    return shapes_cluster.config(call.manager)


def taskmanagers(call: Call) -> Any:
    return shapes_cluster.taskmanagers(call.cluster, call.manager, call.manager.scheduler.now())


def jobmanager_config(call: Call) -> Any:
    return shapes_cluster.jobmanager_config(call.manager)


def jobmanager_metrics(call: Call) -> Any:
    count = str(call.cluster.taskmanager_count(call.manager))
    return select(
        call, {"numRegisteredTaskManagers": count, "numRunningJobs": str(len(call.manager.jobs))}
    )


def no_metrics(call: Call) -> Any:
    return []


def dispose(call: Call) -> Any:
    path = call.body.get("savepoint-path")
    if not path:
        raise refuse(400, "Field [savepoint-path] must be provided.")
    return {"request-id": call.manager.dispose(str(path), call.body.get("triggerId"))}


def disposal(call: Call) -> Any:
    found = call.manager.disposals.get(call.parameters["triggerid"])
    if found is None:
        raise Refusal(
            404, trace("org.apache.flink.runtime.rest.NotFoundException", "Operation not found.")
        )
    return shapes_job.operation(found)


def upload(call: Call) -> Any:
    _require_submit(call)
    if call.upload is None:
        raise refuse(400, "Exactly 1 file must be sent, received 0.")
    if not call.upload.endswith(".jar"):
        raise refuse(400, "Only Jar files are allowed.")
    jar = call.manager.upload(call.upload)
    return {"filename": f"/tmp/flink-web-upload/{jar.id}", "status": "success"}  # noqa: S108 - a path in an answer


def jars(call: Call) -> Any:
    _require_submit(call)
    return shapes_cluster.jars(call.manager)


def delete_jar(call: Call) -> Any:
    _require_submit(call)
    if call.manager.jars.pop(call.parameters["jarid"], None) is None:
        raise refuse(
            400, f"File {call.parameters['jarid']} does not exist in /tmp/flink-web-upload."
        )
    return {}


def run_jar(call: Call) -> Any:
    _require_submit(call)
    if call.parameters["jarid"] not in call.manager.jars:
        text = f"Jar file /tmp/flink-web-upload/{call.parameters['jarid']} does not exist"
        raise server_error("org.apache.flink.runtime.rest.handler.RestHandlerException", text)
    how = call.cluster.knobs().submit
    if how == "refuse":
        raise server_error(
            "org.apache.flink.client.program.ProgramInvocationException",
            "The main method caused an error",
        )
    try:
        job = call.manager.run_jar(call.body)
    except DuplicateJobError as error:
        text = f"Job {error} has already been submitted."
        raise server_error(
            "org.apache.flink.runtime.client.DuplicateJobSubmissionException", text
        ) from error
    return {"jobid": job.id}


def _require_submit(call: Call) -> None:
    if call.manager.settings.is_application:
        raise Refusal(404, "Unable to load requested file /jars.")
