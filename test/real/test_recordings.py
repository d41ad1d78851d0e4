"""What real Flink answers to the calls that the operator makes; kept for flinksim where it is asked for.

With FLINKOP_REAL_RECORD=1 the answers become `test/flinksim/recorded`. Without it they have to have the
shape of what is there, so that recordings do not grow old unnoticed.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes import recordings
from fakes.flinktalk import Answer, Talk, failed, restored, running, session as session_talk
from fakes.flinkuser import FlinkDeployment
from fakes.programs import pause
from fakes.realflink import proxied, session, spec, stateful, wait_checkpoint
from fakes.realplace import RealPlace
from fakes.shapes import only_completed, shape

pytestmark = pytest.mark.usefixtures("operator")

VERSION = spec()["flinkVersion"].removeprefix("v").replace("_", ".")
ADDED_SOMETIMES = {"job-exceptions", "job-metrics", "vertex-metrics"}
"""Answers that are longer the longer a job runs."""


def lead(talk: Talk, cluster: FlinkDeployment) -> dict[str, Answer]:
    """Have the conversation with a cluster's JobManager; returns the answers by name."""
    answers: dict[str, Answer] = {}
    call = next(talk)
    while True:
        if call.again:
            pause(0.3)
        body, kind = None, "application/json"
        if call.jar:
            body, kind = form(Path(os.environ["FLINKOP_REAL_JOB"]))
        elif call.body is not None:
            body = json.dumps(call.body).encode()
        status, text = cluster.api.ask(call.method, proxied(cluster, call.path), body, kind)
        answers[call.name] = Answer(status, json.loads(text or b"null"))
        try:
            call = talk.send(answers[call.name])
        except StopIteration:
            return answers


def form(jar: Path) -> tuple[bytes, str]:
    """A jar as browsers upload a file, and the content type of that."""
    head = f'Content-Disposition: form-data; name="jarfile"; filename="{jar.name}"\r\n'
    kind = "Content-Type: application/x-java-archive\r\n\r\n"
    body = f"--x\r\n{head}{kind}".encode() + jar.read_bytes() + b"\r\n--x--\r\n"
    return body, "multipart/form-data; boundary=x"


def keep(name: str, answers: Mapping[str, Answer]) -> None:
    """Write a conversation, or compare it with the one that is kept."""
    folder = recordings.FOLDER / VERSION / name
    if os.environ.get("FLINKOP_REAL_RECORD"):
        recordings.write(folder, answers)
    kept = recordings.read(folder)
    if not kept:
        pytest.skip(f"there are no recordings of Flink {VERSION}")
    for call in answers.keys() - ADDED_SOMETIMES:
        assert answers[call].status == kept[call].status, call
        new, old = only_completed(answers[call].body), only_completed(kept[call].body)
        assert shape(new) == shape(old), call


def job_id(cluster: FlinkDeployment) -> str:
    found: str = cluster.status["jobStatus"]["jobId"]
    return found


def test_a_job_that_runs_and_goes_on_from_a_savepoint(place: RealPlace) -> None:
    """Everything one can ask of it, and what it does not understand."""
    cluster = place.stable(stateful("savepoint"))
    wait_checkpoint(cluster)
    keep("running", lead(running(job_id(cluster)), cluster))
    cluster.wait_stable(cluster.change(restartNonce=1))
    wait_checkpoint(cluster)
    keep("restored", lead(restored(job_id(cluster)), cluster))
    cluster.delete()


def test_a_job_that_fails(place: RealPlace) -> None:
    """Its end and its cause."""
    never = {"restart-strategy.type": "none"}
    throwing = {"args": ["--throw", "task"]}
    cluster = place.create(stateful("stateless", ha=False, flinkConfiguration=never, job=throwing))
    cluster.wait_job("FAILED")
    keep("failed", lead(failed(job_id(cluster)), cluster))
    cluster.delete()


def test_a_session_cluster_and_its_jars(place: RealPlace) -> None:
    """Uploaded, run, deleted."""
    cluster = place.stable(session())
    keep("session", lead(session_talk("Numbers"), cluster))
    cluster.delete()
