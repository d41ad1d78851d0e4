"""What is written and done, look by look, while a job goes from one spec to another: real plans, put into words.

Each way is a script of what the operator finds; what it makes of it comes from `plan.plan` and
`cleanup.cleanup` themselves.
"""

import datetime as dt
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import evolve, field, frozen
from fakes.deployments import (
    GONE,
    NOW,
    answered,
    application,
    difference,
    job,
    job_manager,
    situation,
    status_of,
    with_job,
)
from fakes.plans import planned

from flinkop.api import codec
from flinkop.api.common import JobState, UpgradeMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.status import FlinkDeploymentStatus
from flinkop.controllers.flinkdeployment import plan, progress
from flinkop.controllers.flinkdeployment.assessed import Subject
from flinkop.controllers.flinkdeployment.observation import Observation, PodFailure
from flinkop.controllers.flinkdeployment.planning import cleanup, steps
from flinkop.controllers.flinkdeployment.planning.situation import Situation
from flinkop.controllers.jobs.facts import CheckpointFacts
from flinkop.flink.interpret import Done
from flinkop.flink.states import JobState as FlinkState
from flinkop.lifecycle import record, state
from flinkop.lifecycle.inplace_scaling import Bounds

_OLD, _NEW = 1, 2
"""Generations of the spec."""
_NOTED: Final = CheckpointFacts("s3://…/chk-8")
_OVERRIDES: Final = "pipeline.jobvertex-parallelism-overrides"
_SHOWN: Final = (
    "lifecycleState",
    "observedGeneration",
    "jobManagerDeploymentStatus",
    "reconciliationStatus.state",
    "reconciliationStatus.lastReconciledSpec",
    "jobStatus.state",
    "jobStatus.jobId",
    "jobStatus.upgradeSavepointPath",
    "jobStatus.savepointInfo.triggerId",
    "jobStatus.savepointInfo.triggerType",
)
"""What of a status tells how far things are; the rest goes along with it."""


@frozen
class Look:
    """What the operator finds at one look: in words what has happened since the last one, and as facts."""

    words: str
    seen: Observation


@frozen
class Way:
    """One way from a running job to something else.

    Attributes:
        title: what it is called.
        before: the spec that runs.
        after: the spec that is asked for.
        looks: what is found, one after the other.
        options: fields of Situation and ClusterOptions.
        status: status at first; by default that of a stable job.
        planner: what makes the plans.
    """

    title: str
    before: FlinkDeploymentSpec
    after: FlinkDeploymentSpec
    looks: Sequence[Look]
    options: Mapping[str, Any] = field(factory=dict)
    status: FlinkDeploymentStatus | None = None
    planner: Callable[[Situation], steps.Outcome] = plan.plan


def table() -> str:
    """Return all ways as one table: found, written first, done, and written in the end."""
    lines = [
        "| found | written to the status first | then done | written after that |",
        "| --- | --- | --- | --- |",
    ]
    for way in _ways():
        lines.append(f"| **{way.title}** | | | |")
        lines += [f"| {' | '.join(row)} |" for row in _rows(way)]
    return "\n".join(lines)


# --- the scripts


def _running(**more: Any) -> Observation:
    return Observation(job_manager=job_manager(_OLD), rest=answered(job(), **more), snapshots=())


def _ended(how: FlinkState, **more: Any) -> Observation:
    rest = answered(job(how, running=0, finished=2), **more)
    return Observation(job_manager=job_manager(_OLD), rest=rest, snapshots=())


_HA: Final = {"high_availability": True}
_CHANGED: Final = Look("the spec changes", _running())
_STOPPED: Final = Look(
    "the savepoint is there", _ended(FlinkState.FINISHED, savepoint=Done("s3://…/savepoint-1"))
)
_CANCELED: Final = Look("the job is CANCELED", _ended(FlinkState.CANCELED, checkpoints=_NOTED))
_OLD_GONE: Final = Look("the old cluster is gone", GONE)


def _app(mode: UpgradeMode, **more: Any) -> FlinkDeploymentSpec:
    return application(image="old", upgrade_mode=mode, **more)


def _ways() -> Iterator[Way]:
    modes = (UpgradeMode.SAVEPOINT, UpgradeMode.LAST_STATE, UpgradeMode.STATELESS)
    savepoint, last_state, stateless = map(_app, modes)
    yield _upgrade("by savepoint", savepoint, _CHANGED, _STOPPED, _OLD_GONE, **_HA)
    yield _upgrade("by last-state, with HA metadata", last_state, _CHANGED, _OLD_GONE, **_HA)
    yield _upgrade("by last-state, without", last_state, _CHANGED, _CANCELED, _OLD_GONE)
    yield _upgrade("stateless", stateless, _CHANGED, _OLD_GONE)
    suspended = with_job(savepoint, state=JobState.SUSPENDED)
    asked = Look("`job.state: suspended`", _running())
    yield Way("Suspension by savepoint", savepoint, suspended, [asked, _STOPPED, _OLD_GONE])
    down = status_of(
        savepoint,
        recorded_state=JobState.SUSPENDED,
        mode=UpgradeMode.SAVEPOINT,
        path="s3://…/savepoint-1",
    )
    asked = Look("`job.state: running`", GONE)
    yield Way("Resume", savepoint, savepoint, [asked], status=down)
    lost = Look("the JobManager Deployment is gone", GONE)
    yield Way("Recovery", last_state, last_state, [lost], _HA)
    yield _rollback(last_state)
    before, after = (
        _app(UpgradeMode.LAST_STATE, flink_configuration={_OVERRIDES: f"v:{n}"}) for n in (1, 2)
    )
    scaling = {"overrides": {"v": "1"}, "wanted_overrides": {"v": "2"}, "inplace_scaling": True}
    asked = Look("only overrides change", _running(requirements={"v": Bounds(1, 1)}))
    yield Way("In-place scaling", before, after, [asked], scaling)
    asked = Look("the resource is deleted", _running())
    last = {**_HA, "savepoint_on_deletion": True}
    yield Way(
        "Deletion with `savepoint-on-deletion`",
        savepoint,
        savepoint,
        [asked, _STOPPED, _OLD_GONE],
        last,
        planner=cleanup.cleanup,
    )


def _upgrade(how: str, spec: FlinkDeploymentSpec, *looks: Look, **options: Any) -> Way:
    return Way(f"Upgrade, {how}", spec, evolve(spec, image="new"), looks, options)


def _rollback(stable: FlinkDeploymentSpec) -> Way:
    failing = evolve(stable, image="new")
    status = status_of(failing, generation=_NEW, mode=UpgradeMode.LAST_STATE, stable=False)
    good = status_of(stable, mode=None).reconciliation_status.last_reconciled_spec
    recon = evolve(status.reconciliation_status, last_stable_spec=good)
    overdue = Observation(
        job_manager=job_manager(_NEW, available=False),
        pod_failure=PodFailure("ImagePullBackOff", "no such image"),
    )
    looks = [
        Look("not stable within `deployment.readiness.timeout`", overdue),
        Look("the failed cluster is gone", GONE),
    ]
    options = {**_HA, "rollback": True, "readiness_timeout": dt.timedelta(minutes=5)}
    return Way(
        "Rollback",
        stable,
        failing,
        looks,
        options,
        status=evolve(status, reconciliation_status=recon),
    )


# --- what comes of them


def _rows(way: Way) -> Iterator[tuple[str, str, str, str]]:
    mode = way.before.job.upgrade_mode if way.before.job else None
    generation = _NEW if way.before == way.after else _OLD
    status = _summed(way.status or status_of(way.before, generation=generation, mode=mode))
    for look in way.looks:
        made = _planned(way, status, look.seen)
        written = [step.status for step in made.steps if isinstance(step, steps.WriteAhead)]
        ahead = _summed(written[-1]) if written else status
        after = _summed(made.status)
        done = "; ".join(_words(s) for s in made.steps if not isinstance(s, steps.WriteAhead))
        yield look.words, _news(status, ahead, way), done, _news(ahead, after, way)
        status = after


def _planned(way: Way, status: FlinkDeploymentStatus, seen: Observation) -> steps.Made:
    at = situation(way.after, status, seen, generation=_NEW, **way.options)
    subject = Subject(status, seen, way.after, NOW, options=at.options)
    found = progress.assess(subject).status
    at = evolve(at, status=found, diff=difference(found, way.after))
    return planned(at, checkpoints=_NOTED, planner=way.planner)


def _summed(status: FlinkDeploymentStatus) -> FlinkDeploymentStatus:
    return state.summarize(status, generation=_NEW, now="", stall=None)


def _words(step: steps.Step) -> str:
    """Return what a step does: an Event's reason, else the beginning of the step's own description."""
    if isinstance(step, steps.Say):
        return f"Event `{step.draft.reason}`"
    sentence = (inspect.getdoc(type(step)) or "").splitlines()[0].replace(" `uid`", "")
    text = re.split(r"[;,:.](?: |$)", sentence, maxsplit=1)[0]
    return text[0].lower() + text[1:]


def _news(before: FlinkDeploymentStatus, after: FlinkDeploymentStatus, way: Way) -> str:
    old, new = _shown(before, way), _shown(after, way)
    changed = [path for path in _SHOWN if old[path] != new[path]]
    return ", ".join(
        f"`{path.removeprefix('jobStatus.savepointInfo.')}`: {new[path]}" for path in changed
    )


def _shown(status: FlinkDeploymentStatus, way: Way) -> dict[str, str]:
    document = codec.encode_status(status)
    shown = {path: _at(document, path) for path in _SHOWN}
    shown["reconciliationStatus.lastReconciledSpec"] = _recorded(status, way)
    for path in ("jobStatus.jobId", "jobStatus.savepointInfo.triggerId"):
        shown[path] = re.sub(r"^(new|trigger)-\d+$", "a new one", shown[path])
    return shown


def _at(document: Any, path: str) -> str:
    for name in path.split("."):
        document = (document or {}).get(name)
    return "none" if document is None else str(document)


def _recorded(status: FlinkDeploymentStatus, way: Way) -> str:
    """Return the recorded spec in few words: which one, the state it has reached, what it restores from."""
    recorded = record.last_reconciled(status)
    if recorded is None or recorded.spec.job is None:
        return "none"
    asked = (way.after.image, way.after.flink_configuration)
    is_new = (
        (recorded.spec.image, recorded.spec.flink_configuration)
        == asked
        != (
            way.before.image,
            way.before.flink_configuration,
        )
    )
    found = recorded.spec.job
    which = "the new one, " if is_new else ""
    return f"{which}{found.state}, {found.upgrade_mode}"
