"""Stage 3: carry out a plan, step by step, each safe to repeat; none waits for anything long."""

import functools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from attrs import define, frozen

from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.status import FlinkSessionJobStatus
from flinkop.artifacts.terms import Terms
from flinkop.builders import effective_conf
from flinkop.config.flink_conf import FlinkConf
from flinkop.controllers.flinksessionjob.planning import steps
from flinkop.controllers.flinksessionjob.submissions import Jar, Submission, Submissions
from flinkop.controllers.jobs.asking import Asker
from flinkop.controllers.jobs.recording import SnapshotRecorder
from flinkop.controllers.jobs.steps import (
    CreateSnapshot,
    DeleteSnapshot,
    ReleaseFinalizer,
    Say,
    WriteAhead,
)
from flinkop.flink.jobs import JarJob
from flinkop.kube import meta
from flinkop.kube.client import KubeClient
from flinkop.lifecycle.state import Note
from flinkop.runtime.result import RetryError
from flinkop.stages import finalizer
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext

Context = ReconcileContext[FlinkSessionJobSpec, FlinkSessionJobStatus]


class Jars(Protocol):
    """The part of `artifacts.store.ArtifactStore` that is used here."""

    def fetched(self, uri: str | None, terms: Terms) -> AbstractAsyncContextManager[Jar]:
        """Have the jar of `uri` on disk for as long as the block lasts."""
        ...


@frozen
class Place:
    """Where a session job is: its cluster, and how that is spoken to.

    Attributes:
        cluster: key of the FlinkDeployment.
        options: options of the job, the cluster's below them.
        conf_of: gives the configuration of the job of a spec.
    """

    cluster: meta.ObjectKey
    options: ClusterOptions
    conf_of: Callable[[FlinkSessionJobSpec], FlinkConf]


@define
class Reconciler:
    """Carries out plans.

    Attributes:
        kube: the way to the API server.
        asker: speaks to Flink.
        snapshots: makes and deletes FlinkStateSnapshots.
        submissions: submits jobs, in the background.
        jars: fetches their jars.
        write_status: writes a status ahead of the deed, with what the plan says is being done.
    """

    kube: KubeClient
    asker: Asker
    snapshots: SnapshotRecorder
    submissions: Submissions
    jars: Jars
    write_status: Callable[[Context, FlinkSessionJobStatus, Note | None], Awaitable[None]]

    async def carry_out(
        self, ctx: Context, what: steps.Made, place: Place | None
    ) -> FlinkSessionJobStatus:
        """Do all steps of `what` in order; return the status after them.

        Raises:
            refusals.StepFailed: Flink refuses what has to succeed before anything else may happen.
            RetryError: the cluster went meanwhile.
            kube.errors.ApiError: the API server could not be reached or refused; the plan is made again.
        """
        status = what.status
        for step in what.steps:
            match step:
                case Say(draft):
                    ctx.say(draft)
                case WriteAhead(ahead):
                    await self.write_status(ctx, ahead, what.note)
                case CreateSnapshot():
                    await self.snapshots.create(ctx.key.namespace, step)
                case DeleteSnapshot():
                    await self.snapshots.delete(ctx.key.namespace, step)
                case ReleaseFinalizer():
                    await finalizer.remove(self.kube, meta.FLINKSESSIONJOBS, ctx.obj)
                case steps.AbandonSubmission():
                    self.submissions.abandon(ctx.key)
                case steps.SubmitJob():
                    self._submit(ctx, step, _there(place))
                case _:
                    there = _there(place)
                    status = await self.asker.ask(there.cluster, step, there.options, status)
        return status

    def _submit(self, ctx: Context, step: steps.SubmitJob, place: Place) -> None:
        """S-20 to S-25, in the background; its end leads to the next look."""
        conf = place.conf_of(step.spec)
        job = step.spec.job
        operator = ctx.settings.operator_config(ctx.key.namespace)
        terms = Terms.read(ctx.settings.default, conf)
        uri = job.jar_uri if job is not None else None
        client = place.options.client(self.asker.flink, place.cluster)
        self.submissions.begin(
            ctx.key,
            Submission(
                cluster=place.options.cluster(place.cluster),
                client=client.within(operator.job_submission_timeout.total_seconds()),
                jar=functools.partial(self.jars.fetched, uri, terms),
                job=JarJob(
                    job_id=step.job_id,
                    entry_class=job.entry_class if job is not None else None,
                    args=job.args if job is not None else (),
                    parallelism=job.parallelism if job is not None else None,
                    allow_non_restored_state=(
                        job.allow_non_restored_state if job is not None else None
                    ),
                    savepoint_path=step.savepoint_path,
                    configuration=effective_conf.for_flink(conf),
                ),
                made_from=(ctx.generation, ctx.settings),
            ),
        )


def _there(place: Place | None) -> Place:
    if place is None:
        raise RetryError("the session cluster went meanwhile", 1.0)
    return place
