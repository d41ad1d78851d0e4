"""One FlinkDeployment with state, its cluster and its user: what may happen to it, whoever does it.

Each happening is a method that returns whether it was possible. `broken` collects what must never be; the
world itself checks that no two jobs run at once, that no job runs beside what an older one left, and that what
a start restores is what the user may rely on (`ledger`).
"""

import copy
import datetime as dt
from typing import Final

from attrs import define, evolve, field, frozen
from fakes.statemodel import flink, specs
from fakes.statemodel.flink import Job, Metadata, Process
from fakes.statemodel.ledger import Ledger, Submitted, ran

from flinkop.api.common import JobState
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus, ReconciliationState
from flinkop.flink.interpret import PENDING, Done, Failed
from flinkop.flink.states import JobState as State
from flinkop.lifecycle import record

START: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STEPS: Final = {"a minute": 60, "past the readiness timeout": 660, "a day": 90_000}
_EXPIRED: Final = Failed("expired", "Checkpoint expired before completing")
_ENDED: Final = Failed("The job has ended", "The job has ended")


@frozen
class Deployment:
    """The JobManager's Deployment."""

    uid: str
    generation: int
    spec: FlinkDeploymentSpec
    job_id: str | None
    path: str | None
    deleting: bool = False


@define
class World:
    """All there is. Values in it are frozen, so that a copy is cheap."""

    spec: FlinkDeploymentSpec = field(factory=specs.wanted)
    generation: int = 1
    deleted: bool = False
    released: bool = False
    status: FlinkDeploymentStatus = field(factory=FlinkDeploymentStatus)
    deployment: Deployment | None = None
    processes: tuple[Process, ...] = ()
    metadata: dict[str, Metadata] = field(factory=dict)
    files: frozenset[str] = frozenset({specs.GIVEN})
    keeps_checkpoints: bool = True  # whether more than the newest of a run is retained
    seconds: int = 0
    numbers: int = 0
    order: str | None = None
    writes: int = 0
    ledger: Ledger = field(factory=Ledger)
    broken: list[str] = field(factory=list)

    def copy(self) -> "World":
        """Return a world of its own that is like this one."""
        twin = copy.copy(self)
        twin.metadata = dict(self.metadata)
        twin.broken = list(self.broken)
        return twin

    @property
    def now(self) -> dt.datetime:
        """Wall time."""
        return START + dt.timedelta(seconds=self.seconds)

    def number(self) -> int:
        """Return a number that nothing else has."""
        self.numbers += 1
        return self.numbers

    @property
    def process(self) -> Process | None:
        """The pod of the Deployment."""
        uid = self.deployment.uid if self.deployment else None
        return next((p for p in self.processes if p.uid == uid), None)

    @property
    def stateful(self) -> bool:
        """Whether the user asks for state to be kept."""
        job = self.spec.job
        return job is not None and job.upgrade_mode.value != "stateless"

    # --- the user

    def edit(self, name: str) -> bool:
        """Change the spec."""
        return self.change(specs.EDITS[name](self.spec))

    def change(self, spec: FlinkDeploymentSpec) -> bool:
        """Apply a spec, if it differs."""
        if spec == self.spec or self.deleted or (self.spec.job is None and spec.job is not None):
            return False
        self.spec = spec
        self.generation += 1
        if spec.job is not None and spec.job.state is JobState.SUSPENDED:
            self._ran(spec)
        return True

    def delete(self) -> bool:
        """Delete the resource."""
        was, self.deleted = self.deleted, True
        return not was

    def give(self, order: str | None) -> bool:
        """Say what comes of the next stop or cancellation: refuse, hang, fail, stopping."""
        was, self.order = self.order, order
        return was != order

    def take(self, *known: str) -> str | None:
        """Return the order, if it is one of `known`, and forget it."""
        found = self.order if self.order in known else None
        if found is not None:
            self.order = None
        return found

    # --- time and Kubernetes

    def passes(self, name: str) -> bool:
        """Let time go by; a stop takes no longer than a checkpoint may."""
        self.seconds += STEPS[name]
        for process in self.processes:
            if process.job is not None and STEPS[name] > 600:
                self._put(evolve(process, job=process.job.settled(_EXPIRED)))
        return True

    def goes(self) -> bool:
        """What is being deleted is gone, also pods without a Deployment."""
        gone = self.deployment is not None and self.deployment.deleting
        if gone:
            self.deployment = None
        left = tuple(p for p in self.processes if p is self.process)
        changed = gone or left != self.processes
        self.processes = left
        return changed

    def vanishes(self) -> bool:
        """Somebody deletes the Deployment; its pod takes a while to go."""
        was, self.deployment = self.deployment, None
        if was is not None and self._is_unheard_of(was):
            self.ledger = self.ledger.never_was()
        return was is not None

    def wiped(self) -> bool:
        """Somebody deletes the HA ConfigMaps."""
        was, self.metadata = self.metadata, {}
        return bool(was)

    def killed(self) -> bool:
        """The JobManager's container restarts in its pod: what was in its memory is lost."""
        process = self.process
        if process is None or not process.up:
            return False
        self._put(evolve(process, up=False, job=None))
        return True

    def starts(self) -> bool:
        """The JobManager comes up and has its job."""
        process = self.process
        if process is None or process.up or not process.can_start or self._is_deleting():
            return False
        first = not process.begun
        self._put(evolve(process, up=True, begun=True))
        if process.job_id is None and self.deployment is not None:
            self._ran(self.deployment.spec)
        if process.job_id is not None:
            self._run_main(process.uid, process.job_id, first=first)
        self._check_jobs()
        return True

    # --- the job

    def job_becomes(self, state: State) -> bool:
        """The job goes on, or fails, restarts, finishes by itself, or is cancelled by somebody."""
        process, job = self._living()
        if process is None or job is None:
            return False
        may_run = job.state in (State.CREATED, State.RESTARTING) and not self._is_deleting()
        if state is State.RUNNING and not may_run:
            return False
        if job.state is State.CANCELLING and state is not State.CANCELED:
            return False
        if state is State.RESTARTING and job.state is not State.RUNNING:
            return False
        if state is State.FINISHED and (job.state is not State.RUNNING or job.stopping):
            return False
        if state is State.RUNNING and self.deployment is not None:
            self._ran(self.deployment.spec)
        if state is State.RESTARTING:
            job = job.settled(_ENDED)
        if state.is_terminal:
            self._end(process, job, state, itself=job.state is not State.CANCELLING)
        else:
            self._put(evolve(process, job=evolve(job, state=state)))
        return True

    def checkpoints(self) -> bool:
        """A checkpoint is complete; with HA only when its pointer can be written, too."""
        process, job = self._living()
        if process is None or job is None or job.state is not State.RUNNING or job.stopping:
            return False
        if process.ha and job.id not in self.metadata:
            return False
        path = flink.checkpoint(self.number())
        if not self.keeps_checkpoints:
            self.files -= self._own_checkpoints(process, job)
        self.files |= {path}
        if process.ha:
            self.metadata[job.id] = Metadata(path, graph=True, version=process.version)
        self._put(evolve(process, job=evolve(job, taken=path)))
        self.ledger = self.ledger.took(path)
        return True

    def cancel_completes(self) -> bool:
        """A job that was told to cancel has."""
        process, job = self._living()
        if process is None or job is None or job.state is not State.CANCELLING:
            return False
        self._end(process, job, State.CANCELED, itself=False)
        return True

    def stop_completes(self) -> bool:
        """The savepoint of a stop is there, and the job has ended; or as was ordered."""
        process, job = self._living()
        if process is None or job is None or not job.stopping:
            return False
        order = self.take("fail", "hang", "stopping")
        if order == "hang":
            self.order = order
            return False
        if order == "fail":
            self._put(evolve(process, job=job.settled(Failed("declined", "declined"))))
            return True
        path = flink.savepoint(self.number())
        self.files |= {path}
        if order == "stopping":
            # The job goes on from its own checkpoints, and the savepoint is among its statistics.
            self.ledger = self.ledger.named(path)
            taken = evolve(job.settled(Done(path)), taken=path, state=State.RESTARTING)
            self._put(evolve(process, job=taken))
            return True
        self.ledger = self.ledger.took(path)
        self._end(
            process, evolve(job.settled(Done(path)), taken=path), State.FINISHED, itself=False
        )
        return True

    def forgets_triggers(self) -> bool:
        """Flink's cache of asynchronous operations has expired."""
        process = self.process
        job = process.job if process else None
        if process is None or job is None or not job.triggers or job.stopping:
            return False
        self._put(evolve(process, job=evolve(job, triggers=())))
        return True

    # --- what Flink is told

    def stop(self, job_id: str, trigger: str) -> bool:
        """Stop the job with a savepoint; return whether Flink takes the request."""
        process, job = self._known(job_id)
        if self.take("refuse") or process is None or job is None:
            return False
        if any(one == trigger for one, _ in job.triggers):
            return True
        runs = job.state is State.RUNNING
        outcome = PENDING if runs else Failed("not running", "the job does not run")
        self._put(evolve(process, job=evolve(job, triggers=((trigger, outcome),))))
        return True

    def cancel(self, job_id: str) -> bool:
        """Cancel the job; return whether Flink takes the request, or the job has ended."""
        process, job = self._known(job_id)
        if self.take("refuse") or process is None or job is None:
            return False
        if job.lives:
            told = evolve(job.settled(_ENDED), state=State.CANCELLING)
            self._put(evolve(process, job=told))
        return True

    # --- what Kubernetes is told

    def create(self, made: Deployment, submitted: Submitted, *, ha: bool) -> None:
        """Make a JobManager Deployment, and with it its pod."""
        self.deployment = made
        self.ledger = self.ledger.submits(submitted)
        process = Process(
            uid=made.uid,
            generation=made.generation,
            job_id=made.job_id,
            path=made.path,
            ha=ha,
            version=str(made.spec.flink_version),
            can_start=made.spec.image != specs.BROKEN_IMAGE,
        )
        self.processes = (*self.processes, process)

    # --- inside

    def _run_main(self, uid: str, job_id: str, *, first: bool) -> None:
        """The JobManager submits its job, or recovers it."""
        (process,) = (p for p in self.processes if p.uid == uid)
        if process.ha and job_id in process.results:
            return  # ended in an earlier process of this pod: not run again, and not listed
        if process.ha:
            self._check_metadata(job_id, first=first)
        job = self._restored(process, job_id)
        if job.state is State.FAILED:
            # Nothing was restored, and nothing is lost.
            self._end(process, job, State.FAILED, itself=True)
            return
        if process.ha:
            self.metadata[job_id] = Metadata(job.restored, graph=True, version=process.version)
        self._put(evolve(process, job=job))
        if first:
            wrong = self.ledger.verdict(job.restored)
            if wrong is not None:
                self.broken.append(wrong)
            self.ledger = self.ledger.started_from(job.restored)
        else:
            self.ledger = self.ledger.fell_back(job.restored)

    def _restored(self, process: Process, job_id: str) -> Job:
        known = self.metadata.get(job_id) if process.ha else None
        path = process.path
        if known is not None and known.checkpoint is not None:
            if known.version != process.version:
                self.broken.append("started over HA metadata of another Flink version")
                return Job(job_id, State.FAILED)
            path = known.checkpoint
        if path is not None and path not in self.files:
            return Job(job_id, State.FAILED)
        return Job(job_id, restored=path)

    def _check_metadata(self, job_id: str, *, first: bool) -> None:
        others = {one: found for one, found in self.metadata.items() if one != job_id}
        if any(found.graph for found in others.values()):
            self.broken.append("two jobs: the graph of an older one was left in the HA metadata")
        if first and others:
            self.broken.append("started over HA metadata of an older run")

    def _end(self, process: Process, job: Job, state: State, *, itself: bool) -> None:
        ended = evolve(job.settled(_ENDED), state=state, ended_itself=itself)
        results = process.results | {job.id} if process.ha else process.results
        self._put(evolve(process, job=ended, results=results))
        if state is State.FINISHED:
            self.files -= self._own_checkpoints(process, job)
        if process.ha:
            self.metadata.pop(job.id, None)
        if itself and not self._is_going() and state is not State.CANCELED:
            self.ledger = evolve(self.ledger, end=state)

    def _ran(self, spec: FlinkDeploymentSpec) -> None:
        """`spec` is a good one: it ran, or nothing is to run."""
        self.ledger = evolve(self.ledger, good=self.ledger.good | {ran(spec)})

    def _is_going(self) -> bool:
        """Whether the next start is decided already: an end does not count any more."""
        found, status = self.deployment, self.status
        if found is None or found.deleting:
            return True
        recon = status.reconciliation_status.state
        if recon is ReconciliationState.UPGRADING:
            return found.generation != status.observed_generation
        return recon is ReconciliationState.ROLLING_BACK

    def _is_unheard_of(self, deployment: Deployment) -> bool:
        """Whether nothing is left of a first deployment of which no status ever told."""
        recorded = record.last_reconciled(self.status)
        upgrading = self.status.reconciliation_status.state is ReconciliationState.UPGRADING
        first = recorded is not None and bool(recorded.first_deployment)
        return upgrading and first and not self.metadata and deployment.generation == 1

    def _is_deleting(self) -> bool:
        """Whether the pod is told to end: it starts nothing any more."""
        return self.deployment is not None and self.deployment.deleting

    def _own_checkpoints(self, process: Process, job: Job) -> frozenset[str]:
        """What the job may delete: its checkpoints, and what it found in HA metadata, never a savepoint."""
        known = self.metadata.get(job.id) if process.ha else None
        found = {job.taken, known.checkpoint if known else None}
        return frozenset(path for path in found if path is not None and "/chk-" in path)

    def _living(self) -> tuple[Process | None, Job | None]:
        """The job that runs, in whichever pod."""
        for process in self.processes:
            if process.runs_a_job:
                return process, process.job
        return None, None

    def _known(self, job_id: str) -> tuple[Process | None, Job | None]:
        """The job by this id in the pod that the Service leads to."""
        process = self.process
        if process is None or not process.up or process.job is None or process.job.id != job_id:
            return None, None
        return process, process.job

    def _put(self, process: Process) -> None:
        self.processes = tuple(process if p.uid == process.uid else p for p in self.processes)
        self._check_jobs()

    def _check_jobs(self) -> None:
        if sum(p.runs_a_job for p in self.processes) > 1:
            self.broken.append("two jobs of one resource at once")

    def written(self, status: FlinkDeploymentStatus) -> None:
        """The API server has acknowledged a status."""
        if status == self.status:
            return
        before = self.status.reconciliation_status.last_stable_spec
        self.writes += 1
        self.status = status
        stable = record.last_stable(status)
        if before is not None and stable is None:
            self.broken.append("the last stable spec was lost")
        if stable is not None and ran(stable.spec) not in self.ledger.good:
            self.broken.append("a spec was called stable that never ran")
