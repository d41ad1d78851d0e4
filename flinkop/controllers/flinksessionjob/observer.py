"""Stage 1: look at the caches and at Flink, and write down what is there (behaviour.md section 2)."""

import asyncio
from collections.abc import Callable
from typing import Final

from attrs import define, evolve, field

from flinkop.api.common import JobState
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.flinkstatesnapshot import JobKind
from flinkop.api.status import FlinkJobState, FlinkSessionJobStatus, ReconciliationState
from flinkop.controllers.flinksessionjob import progress
from flinkop.controllers.flinksessionjob.observation import Observation
from flinkop.controllers.flinksessionjob.submissions import Submissions
from flinkop.controllers.jobs import looking
from flinkop.controllers.jobs.facts import Rest, RestFacts
from flinkop.flink import errors as flink_errors
from flinkop.flink.address import Cluster
from flinkop.flink.models import JobOverview
from flinkop.flink.rest import FlinkClient
from flinkop.kube import meta
from flinkop.lifecycle import record
from flinkop.lifecycle.exception_looks import Known
from flinkop.lifecycle.upgrade import Question
from flinkop.stages.cluster_options import ClusterOptions
from flinkop.stages.context import ReconcileContext
from flinkop.stages.exception_history import ExceptionHistory
from flinkop.stages.job_lists import JobLists
from flinkop.stages.session_clusters import SessionCluster, SessionClusters
from flinkop.stages.snapshots import Snapshots

Context = ReconcileContext[FlinkSessionJobSpec, FlinkSessionJobStatus]

_STEADY_SECONDS: Final = 5.0
"""Age of a list that does for a job of which nothing new is expected: those of a cluster are looked at together."""
_MOVING_SECONDS: Final = 0.15
"""The same for one that somebody waits for; a little less than the shortest probe."""


@define
class Observer:
    """Gathers an `Observation`; reads caches, asks Flink, writes nothing.

    Attributes:
        clusters: the session clusters.
        flink: makes the client for a cluster.
        lists: the jobs of clusters.
        submissions: what this process submits.
        exceptions: reads the exceptions of jobs.
        snapshots: the FlinkStateSnapshots of all jobs.
    """

    clusters: SessionClusters
    flink: Callable[[Cluster], FlinkClient]
    lists: JobLists
    submissions: Submissions
    exceptions: ExceptionHistory
    snapshots: Snapshots
    _absent: dict[meta.ObjectKey, tuple[str, float]] = field(factory=dict)

    async def observe(
        self,
        ctx: Context,
        cluster: SessionCluster | None,
        options: ClusterOptions,
        known: Known | None = None,
    ) -> Observation:
        """Return the facts about `ctx`; errors of Flink are facts, too.

        Args:
            ctx: the resource.
            cluster: its cluster.
            options: its options.
            known: which exceptions of its job were told.
        """
        rest = RestFacts()
        if cluster is not None and cluster.up and _matters(ctx):
            rest = await self._ask_flink(ctx, cluster, options, known)
        namespace = ctx.key.namespace
        available = self.snapshots.are_available(namespace)
        job_id = ctx.status.job_status.job_id
        made_from = (ctx.generation, ctx.settings)
        return Observation(
            cluster=cluster,
            cluster_known=cluster is not None or self.clusters.are_known(namespace),
            rest=rest,
            absent_for=self._absent_for(ctx, rest),
            submitted=self.submissions.known(ctx.key, job_id, made_from),
            snapshots=(
                self.snapshots.of_job(JobKind.FLINK_SESSION_JOB, ctx.key) if available else None
            ),
        )

    async def look_up(
        self, ctx: Context, options: ClusterOptions, known: Observation, question: Question
    ) -> Observation:
        """Return `known` with the answer to `question` in it."""
        if known.cluster is None or question is not Question.CHECKPOINTS:
            raise RuntimeError(f"nobody can say of a session job {question.value}")
        client = self._client(known.cluster, options)
        found = await looking.checkpoints(client, ctx.status.job_status.job_id or "")
        return evolve(known, rest=evolve(known.rest, checkpoints=found))

    def forget(self, key: meta.ObjectKey) -> None:
        """Drop what is remembered about a resource that is gone."""
        self._absent.pop(key, None)
        self.submissions.forget(key)

    def _client(self, cluster: SessionCluster, options: ClusterOptions) -> FlinkClient:
        return options.client(self.flink, cluster.key).within(options.flink_timeout)

    async def _ask_flink(
        self,
        ctx: Context,
        cluster: SessionCluster,
        options: ClusterOptions,
        known: Known | None,
    ) -> RestFacts:
        client = self._client(cluster, options)
        try:
            job = await self._listed(ctx, options.cluster(cluster.key), client)
        except flink_errors.FlinkError as error:
            absent = flink_errors.is_absent(error)
            return RestFacts(Rest.ABSENT if absent else Rest.FAILED, detail=str(error))
        facts = RestFacts(Rest.ANSWERED, jobs=() if job is None else (job,))
        if job is None:
            return facts
        facts = await looking.look(client, ctx.status, facts)
        if ctx.deleting:
            return facts
        found = await looking.exceptions(self.exceptions, client, ctx, facts, known)
        return evolve(facts, exceptions=found)

    async def _listed(
        self, ctx: Context, cluster: Cluster, client: FlinkClient
    ) -> JobOverview | None:
        """Return the job as the cluster lists it; that it does not is never told by an older list than this look."""
        job_id = ctx.status.job_status.job_id
        if job_id is None:
            return None
        max_age = _STEADY_SECONDS if _is_steady(ctx) else _MOVING_SECONDS
        jobs = await self.lists.read(cluster, client.jobs_overview, max_age=max_age)
        if job_id not in jobs:
            jobs = await self.lists.read(cluster, client.jobs_overview, max_age=0.0)
        return jobs.get(job_id)

    def _absent_for(self, ctx: Context, rest: RestFacts) -> float:
        job_id = ctx.status.job_status.job_id
        if rest.state is not Rest.ANSWERED or job_id is None or rest.job(job_id) is not None:
            self._absent.pop(ctx.key, None)
            return 0.0
        now = asyncio.get_running_loop().time()
        since = self._absent.get(ctx.key)
        if since is None or since[0] != job_id:
            since = self._absent[ctx.key] = (job_id, now)
        return now - since[1]


def _matters(ctx: Context) -> bool:
    """Whether anything is to be learnt from Flink: not of a job that was never there, or is down (O-1, O-30)."""
    recorded = record.last_reconciled(ctx.status)
    if recorded is None:
        return False
    deployed = ctx.status.reconciliation_status.state is ReconciliationState.DEPLOYED
    job = recorded.spec.job
    down = job is not None and job.state is JobState.SUSPENDED
    wanted = ctx.spec.job is not None and ctx.spec.job.state is JobState.RUNNING
    return not (deployed and down) or (wanted and not ctx.deleting)


def _is_steady(ctx: Context) -> bool:
    """Whether the job runs as asked, or has ended, and nothing is being done about it."""
    status = ctx.status
    state = status.job_status.state
    settled = ctx.generation == status.observed_generation and not ctx.deleting
    rests = state is FlinkJobState.RUNNING or (state is not None and state.is_terminal)
    return settled and rests and record.is_stable(status) and not progress.is_starting(status)
