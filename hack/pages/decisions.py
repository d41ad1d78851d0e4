"""How a job is taken down, situation by situation: `lifecycle.upgrade.decide` asked, and its own words noted."""

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve, frozen

from flinkop.api.common import UpgradeMode
from flinkop.api.status import FlinkJobState as Job, JobManagerDeploymentStatus as JobManager
from flinkop.lifecycle import upgrade
from flinkop.lifecycle.upgrade import (
    LAST_STATE_PATH,
    Available,
    Checkpoints,
    ClusterFacts,
    Facts,
    Impossible,
    NotNow,
    Question,
    Suspend,
)

NOW_MS: Final = 1_000_000_000
AGE: Final = dt.timedelta(minutes=10)
LONG_AGO: Final = NOW_MS - 3_600_000
STATEFUL: Final = (UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE)
RESTORED: Final = {
    UpgradeMode.SAVEPOINT: "`upgradeSavepointPath`",
    UpgradeMode.LAST_STATE: "HA metadata",
    UpgradeMode.STATELESS: "nothing",
}


Case = tuple[UpgradeMode, bool]
"""What is asked for, and whether there is HA metadata."""


@frozen
class Situation:
    """What may be the case when a spec changes; `facts` are what is special about it.

    Attributes:
        words: what it is, for people.
        facts: fields of `Facts`, or of `ClusterFacts` where only that has them.
    """

    words: str
    facts: dict[str, Any]


def of(words: str, job: Job | None, **facts: Any) -> Situation:
    """Return a situation; the JobManager answers unless told otherwise."""
    return Situation(words, {"job": job, **facts})


UNREACHABLE: Final = {"accessible": False, "job_manager": JobManager.DEPLOYING}
NO_POD: Final = {"accessible": False, "job_manager": JobManager.ERROR}
SITUATIONS: Final = (
    of("the job is RUNNING", Job.RUNNING),
    of(
        "the same, `job.upgrade.last-state.job-cancel.enabled: true`",
        Job.RUNNING,
        cancel_instead=True,
    ),
    of(
        "the same, and the last checkpoint is older than `job.upgrade.last-state.max.allowed.checkpoint.age`",
        Job.RUNNING,
        max_age=AGE,
        checkpoints=Checkpoints(completed_at=LONG_AGO),
    ),
    of(
        "the same, and another checkpoint is being taken",
        Job.RUNNING,
        max_age=AGE,
        checkpoints=Checkpoints(completed_at=LONG_AGO, pending_at=NOW_MS),
    ),
    of("it is RESTARTING, FAILING or starting, and the JobManager answers", Job.RESTARTING),
    of(
        "the same, `job.upgrade.last-state-fallback.enabled: false`",
        Job.RESTARTING,
        fallback=False,
    ),
    of("the JobManager starts, or does not answer", Job.RECONCILING, **UNREACHABLE),
    of("the JobManager's pod cannot start", Job.RECONCILING, **NO_POD),
    of(
        "the same, and it never has since a start from a savepoint",
        Job.RECONCILING,
        **NO_POD,
        never_started=True,
        recorded_mode=UpgradeMode.SAVEPOINT,
    ),
    of(
        "the JobManager Deployment is gone",
        Job.RECONCILING,
        accessible=False,
        job_manager=JobManager.MISSING,
    ),
    of("the job is being cancelled already", Job.CANCELLING),
    of("the job is FINISHED, FAILED or CANCELED, and the JobManager answers", Job.FAILED),
    of(
        "the job is FINISHED or FAILED, and the JobManager is gone",
        Job.FAILED,
        accessible=False,
        job_manager=JobManager.MISSING,
    ),
    of(
        "the job has ended, and its last checkpoint is not known",
        Job.FAILED,
        path=LAST_STATE_PATH,
    ),
    of("`flinkVersion` changes, the job is RUNNING", Job.RUNNING, version_changed=True),
    of(
        "the same, without a directory for savepoints",
        Job.RUNNING,
        version_changed=True,
        savepoint_directory=False,
    ),
    of(
        "`flinkVersion` changes, the job is RESTARTING, FAILING or starting",
        Job.RESTARTING,
        version_changed=True,
    ),
    of(
        "`flinkVersion` changes, the JobManager does not answer",
        Job.RECONCILING,
        version_changed=True,
        **UNREACHABLE,
    ),
)


@frozen
class Row:
    """One line of the table: the old job's end, what the new one starts from, and why."""

    end: str
    restored: str
    why: str


def table() -> str:
    """Return the decisions as a table, one row for each answer in each situation."""
    lines = [
        "| situation | `upgradeMode` | the old job | the new one starts from | because |",
        "| --- | --- | --- | --- | --- |",
    ]
    for situation, asked, row in rows():
        lines.append(f"| {situation} | {asked} | {row.end} | {row.restored} | {row.why} |")
    return "\n".join(lines)


def rows() -> Iterator[tuple[str, str, Row]]:
    """Yield situation, upgrade modes and answer; a situation that is told already is an empty text.

    Of one that is "the same" but for something, only what that something changes is told.
    """
    yield "any", "`stateless`", _stateless()
    before: dict[Case, Row] = {}
    for situation in SITUATIONS:
        answers = _answers(situation)
        if situation.words.startswith("the same"):
            answers = {case: row for case, row in answers.items() if row != before[case]}
        else:
            before = answers
        words = situation.words
        for row in dict.fromkeys(answers.values()):
            yield words, _asked([case for case in answers if answers[case] == row]), row
            words = ""


def _stateless() -> Row:
    """Without state nothing matters but whether there is still a job to cancel.

    Raises:
        ValueError: that is no longer so, and one line is not enough.
    """
    found = {_row(_decided(one, UpgradeMode.STATELESS, ha=True)) for one in SITUATIONS}
    alive = {row for row in found if row.end != Suspend.NOOP.value}
    if len(alive) != 1:
        raise ValueError(f"stateless upgrades go in more ways than one: {alive}")
    return alive.pop()


def _answers(situation: Situation) -> dict[Case, Row]:
    """Return the answer in each case."""
    return {
        (mode, ha): _row(_decided(situation, mode, ha=ha))
        for mode, ha in itertools.product(STATEFUL, (True, False))
    }


def _decided(situation: Situation, mode: UpgradeMode, *, ha: bool) -> upgrade.Decision:
    special = dict(situation.facts)
    own = {
        name: special.pop(name)
        for name in ("job_manager", "never_started", "recorded_mode")
        if name in special
    }
    cluster = ClusterFacts(JobManager.READY, high_availability=ha)
    facts = Facts(
        mode=mode,
        accessible=special.pop("accessible", True),
        now_ms=NOW_MS,
        started_ms=0,
        ha_metadata=ha,
        cluster=evolve(cluster, **own),
        **special,
    )
    decision = upgrade.decide(facts)
    if isinstance(decision, Question):
        raise TypeError(f"{situation.words}: {decision.value} is not told")
    return decision


def _row(decision: upgrade.Decision) -> Row:
    match decision:
        case Available():
            return Row(decision.suspend.value, RESTORED[decision.restore], decision.reason)
        case NotNow():
            others = ", and is looked after meanwhile" if decision.others else ""
            return Row(f"**waited for**{others}", "", decision.reason)
        case Impossible():
            return Row(f"**refused**: `{decision.reason}`", "", decision.message)


def _asked(cases: list[Case]) -> str:
    """Return for which modes, and with or without HA metadata."""
    by_ha = {ha: [mode for mode in STATEFUL if (mode, ha) in cases] for ha in (True, False)}
    if by_ha[True] == by_ha[False]:
        return _modes(by_ha[True])
    texts = [
        f"{_modes(modes)}, {'with' if ha else 'without'} HA metadata"
        for ha, modes in by_ha.items()
        if modes
    ]
    return "; ".join(texts)


def _modes(modes: list[UpgradeMode]) -> str:
    return "either" if len(modes) == len(STATEFUL) else f"`{modes[0]}`"
