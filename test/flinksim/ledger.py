"""Remembers every run of every job, so that a test can prove that nothing was lost or doubled.

`lost` of a run is how much its restored counter lies behind the newest snapshot that the runs before it
had made; a stateless start loses all of it, on purpose or not: that is the test's to judge. `doubled`
lists runs of one resource that processed data at the same time.
"""

from typing import Any

from attrs import asdict, define, field
from flinksim.job import Job

Lineage = tuple[str, str, str]


@define
class Run:
    job_id: str
    jobmanager: str
    started: float
    restored_from: str | None
    restored_counter: int
    durable_before: int
    running_since: float | None = None
    ended: float | None = None
    end: str | None = None
    counter_at_end: int | None = None
    checkpoints: int = 0

    @property
    def lost(self) -> int:
        return max(0, self.durable_before - self.restored_counter)


@define
class Ledger:
    runs: dict[Lineage, list[Run]] = field(factory=dict)
    durable: dict[Lineage, int] = field(factory=dict)
    doubled: list[dict[str, Any]] = field(factory=list)
    _open: dict[int, tuple[Lineage, Run, Job]] = field(factory=dict)

    def started(self, job: Job, jobmanager: Any) -> None:
        lineage = (jobmanager.settings.namespace, jobmanager.settings.name, job.submission.lineage)
        restore = job.submission.restore
        run = Run(
            job.id, jobmanager.uid, job.host.scheduler.now(), restore.path if restore else None,
            restore.counter if restore else 0, self.durable.get(lineage, 0),
        )  # fmt: skip
        self.runs.setdefault(lineage, []).append(run)
        self._open[id(job)] = (lineage, run, job)

    def changed(self, job: Job) -> None:
        if id(job) not in self._open:
            return
        lineage, run, _ = self._open[id(job)]
        if not job.tasks_running or run.running_since is not None:
            return
        run.running_since = job.host.scheduler.now()
        self.durable[lineage] = run.restored_counter
        for other_lineage, other, other_job in self._open.values():
            if other_lineage == lineage and other_job is not job and other_job.tasks_running:
                self.doubled.append(
                    {
                        "lineage": list(lineage),
                        "first": other.job_id,
                        "second": run.job_id,
                        "at": run.running_since,
                    }
                )

    def checkpointed(self, job: Job) -> None:
        if id(job) not in self._open:
            return
        lineage, run, _ = self._open[id(job)]
        run.checkpoints = job.checkpoints.counts["completed"]
        done = [one.snapshot.counter for one in job.checkpoints.history if one.snapshot is not None]
        self.durable[lineage] = max(done, default=run.restored_counter)

    def ended(self, job: Job, how: str) -> None:
        entry = self._open.pop(id(job), None)
        if entry is None:
            return
        _, run, _ = entry
        run.ended, run.end, run.counter_at_end = job.host.scheduler.now(), how, job.counter()

    def of(self, namespace: str, name: str) -> dict[str, list[dict[str, Any]]]:
        return {
            lineage[2]: [asdict(run) | {"lost": run.lost} for run in runs]
            for lineage, runs in self.runs.items()
            if lineage[:2] == (namespace, name)
        }
