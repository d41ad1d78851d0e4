"""Submissions in the background: one at a time for each resource, their end told, their refusals understood."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from fakes.scripted_transport import ScriptedTransport, ok, refused

from flinkop.artifacts.errors import Missing, NotAJar
from flinkop.controllers.flinksessionjob.observation import Handover
from flinkop.controllers.flinksessionjob.submissions import Submission, Submissions
from flinkop.flink import errors
from flinkop.flink.address import Cluster
from flinkop.flink.jobs import JarJob
from flinkop.flink.rest import FlinkClient
from flinkop.kube.meta import ObjectKey

pytestmark = pytest.mark.virtual_time

KEY = ObjectKey("ns", "example")
UPLOADED = ok({"filename": "/up/1_a.jar", "status": "success"})
RUN = ok({"jobid": "j"})
DUPLICATE = refused(500, "org.apache.flink.runtime.client.DuplicateJobSubmissionException: again")


@pytest.fixture
def jar(tmp_path):
    """A jar on disk."""
    path = tmp_path / "a.jar"
    path.write_bytes(b"PK")
    return path


class Stage:
    """Submissions that run, and whom they woke."""

    def __init__(self, jar):
        self.jar = jar
        self.woken = []
        self.submissions = Submissions(self.woken.append)
        self.fetching = 1.0

    def submission(self, *script, error=None, job="j", made_from=1):
        @asynccontextmanager
        async def fetched():
            await asyncio.sleep(self.fetching)
            if error is not None:
                raise error
            yield SimpleNamespace(path=self.jar)

        client = FlinkClient(ScriptedTransport(list(script))).once(600)
        return Submission(Cluster("ns", "cluster"), client, fetched, JarJob(job), made_from)

    def known(self, job="j", made_from=1):
        return self.submissions.known(KEY, job, made_from)


@pytest.fixture
async def stage(jar):
    """Submissions that run."""
    made = Stage(jar)
    async with asyncio.TaskGroup() as group:
        group.create_task(made.submissions.run())
        await asyncio.sleep(0)
        yield made
        await made.submissions.stop()


async def test_a_submission_goes_through(stage):
    """Under way, then accepted; its end wakes the resource."""
    assert stage.known().handover is Handover.UNKNOWN
    stage.submissions.begin(KEY, stage.submission(UPLOADED, RUN, ok({})))
    assert stage.known().handover is Handover.UNDER_WAY
    await asyncio.sleep(5)
    assert stage.known().handover is Handover.ACCEPTED
    assert stage.woken == [KEY]
    assert stage.known("another").handover is Handover.UNKNOWN


async def test_only_one_is_under_way(stage):
    """Also for a resource that asks for another job meanwhile."""
    stage.submissions.begin(KEY, stage.submission(UPLOADED, RUN, ok({})))
    stage.submissions.begin(KEY, stage.submission(job="another"))
    assert stage.known("another").handover is Handover.UNDER_WAY
    await asyncio.sleep(5)
    assert stage.woken == [KEY]


@pytest.mark.parametrize(
    ("script", "handover"),
    [
        ((UPLOADED, DUPLICATE, ok({})), Handover.ACCEPTED),
        ((UPLOADED, refused(500, "a.B: no main"), ok({})), Handover.REFUSED),
        ((refused(400, "no jar"),), Handover.REFUSED),
        ((errors.Unreachable("refused", sent=False),), Handover.REFUSED),
        ((UPLOADED, errors.Unreachable("reset", sent=True), ok({})), Handover.UNKNOWN),
        ((UPLOADED, errors.Timeout("too long"), ok({})), Handover.UNKNOWN),
    ],
    ids=["duplicate", "failed", "no upload", "unreachable", "reset", "timeout"],
)
async def test_what_an_answer_means(stage, script, handover):
    """An answer of Flink is certain; none, once it was asked to run the job, is not."""
    stage.submissions.begin(KEY, stage.submission(*script))
    await asyncio.sleep(5)
    known = stage.known()
    assert known.handover is handover
    assert (known.failure is None) == (handover is Handover.ACCEPTED)
    assert not known.final


async def test_flinks_words_are_told(stage):
    """What its server side says, not that it is one."""
    said = (
        "Internal server error.\n<Exception on server side:\n"
        "org.apache.flink.client.program.ProgramInvocationException: The main method caused an error\n"
        "\tat a.B.c(B.java:1)\nCaused by: java.lang.IllegalStateException: no topic\n"
        "End of exception on server side>"
    )
    stage.submissions.begin(KEY, stage.submission(UPLOADED, refused(500, said), ok({})))
    await asyncio.sleep(5)
    failure = stage.known().failure
    assert failure.message == (
        "Could not submit the job: The main method caused an error -> no topic"
    )


async def test_a_jar_that_cannot_be_had_is_final_until_something_changes(stage):
    """Spec or configuration."""
    wrong = NotAJar("https://jars/a.jar", "it is a page", "Mend it.")
    stage.submissions.begin(KEY, stage.submission(error=wrong))
    await asyncio.sleep(5)
    assert (stage.known().final, stage.known().reason) == (True, "NotAJar")
    assert stage.known(made_from=2).handover is Handover.UNKNOWN


async def test_failures_are_repeated_with_growing_pauses(stage):
    """Up to five minutes, for ever."""
    gone = Missing("https://jars/a.jar", "404", "Publish it.")
    stage.fetching = 0.0
    waits = []
    for _ in range(16):
        stage.submissions.begin(KEY, stage.submission(error=gone))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waits.append(round(stage.known().wait, 1))
    assert waits[:4] == [5.0, 5.0, 7.5, 11.2]
    assert waits[-1] == 300.0


async def test_a_submission_is_abandoned_while_its_jar_is_fetched(stage):
    """Flink never had the job; once it was asked, its answer is waited for."""
    stage.submissions.begin(KEY, stage.submission(UPLOADED, RUN, ok({})))
    await asyncio.sleep(0.5)
    stage.submissions.abandon(KEY)
    await asyncio.sleep(0.1)
    assert stage.known().handover is Handover.REFUSED
    assert stage.woken == [KEY]


async def test_a_resource_that_is_gone_is_forgotten(stage):
    """With what is under way for it."""
    stage.submissions.begin(KEY, stage.submission())
    stage.submissions.forget(KEY)
    await asyncio.sleep(5)
    assert stage.known().handover is Handover.UNKNOWN
