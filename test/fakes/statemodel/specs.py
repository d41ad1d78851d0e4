"""The specs of the state model, and the edits of them that a user may make."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import evolve
from fakes.deployments import application, session, with_job

from flinkop.api import recorded_spec
from flinkop.api.common import JobManagerSpec, JobState, Resource, TaskManagerSpec, UpgradeMode
from flinkop.api.flink_version import FlinkVersion
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.config import options

GIVEN: Final = "s3://given/savepoint-0"
"""A savepoint that the user has from elsewhere."""
BROKEN_IMAGE: Final = "broken"
_MEMORY: Final = Resource(memory="1g")
_HA: Final = {
    "high-availability.type": "kubernetes",
    "high-availability.storageDir": "s3://ha",
}
_DIRECTORIES: Final = {
    "execution.checkpointing.dir": "s3://checkpoints",
    "execution.checkpointing.savepoint-dir": "s3://savepoints",
}

Edit = Callable[[FlinkDeploymentSpec], FlinkDeploymentSpec]


def wanted(
    mode: UpgradeMode = UpgradeMode.SAVEPOINT, *, ha: bool = True, given: str | None = None
) -> FlinkDeploymentSpec:
    """Return an application's spec."""
    spec = application(
        image="a", upgrade_mode=mode, initial_savepoint_path=given, flink_configuration=_DIRECTORIES
    )
    return with_ha(_with_memory(spec), ha=ha)


def wanted_session(*, ha: bool = True) -> FlinkDeploymentSpec:
    """Return a session cluster's spec."""
    spec = session(image="a", flink_configuration=dict(_DIRECTORIES))
    return with_ha(_with_memory(spec), ha=ha)


def _with_memory(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    return evolve(
        spec,
        job_manager=JobManagerSpec(resource=_MEMORY),
        task_manager=TaskManagerSpec(resource=_MEMORY),
    )


def _entries(spec: FlinkDeploymentSpec) -> Mapping[str, Any]:
    found = spec.flink_configuration or {}
    assert isinstance(found, Mapping)
    return found


def with_entries(spec: FlinkDeploymentSpec, entries: Mapping[str, Any]) -> FlinkDeploymentSpec:
    """Return `spec` with options set, or removed where they are None."""
    merged = {**_entries(spec), **entries}
    kept = {key: value for key, value in merged.items() if value is not None}
    return evolve(spec, flink_configuration=kept)


def with_ha(spec: FlinkDeploymentSpec, *, ha: bool) -> FlinkDeploymentSpec:
    """Return `spec` with or without HA metadata."""
    return with_entries(spec, _HA if ha else dict.fromkeys(_HA))


def _option(key: str) -> Edit:
    """Switch an option of the operator on, or off again."""

    def edit(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
        on = _entries(spec).get(key)
        return with_entries(spec, {key: None if on else "true"})

    return edit


def _off(key: str) -> Edit:
    """Switch off an option that is on by default, or back on."""

    def edit(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
        off = _entries(spec).get(key)
        return with_entries(spec, {key: None if off else "false"})

    return edit


def _redeploy(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    job = spec.job
    nonce = (job.savepoint_redeploy_nonce if job else None) or 0
    return with_job(spec, savepoint_redeploy_nonce=nonce + 1, initial_savepoint_path=GIVEN)


def _parallelism(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    now = spec.job.parallelism if spec.job else None
    return with_job(spec, parallelism=3 if now == 2 else 2)


def _other_version(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    old = spec.flink_version is FlinkVersion.V1_20
    return evolve(spec, flink_version=FlinkVersion.V2_0 if old else FlinkVersion.V1_20)


def _ha(spec: FlinkDeploymentSpec) -> FlinkDeploymentSpec:
    return with_ha(spec, ha="high-availability.type" not in _entries(spec))


EDITS: Final[Mapping[str, Edit]] = {
    "image a": lambda spec: evolve(spec, image="a"),
    "image b": lambda spec: evolve(spec, image="b"),
    "broken image": lambda spec: evolve(spec, image=BROKEN_IMAGE),
    "parallelism": _parallelism,
    "invalid": lambda spec: with_job(spec, parallelism=0),
    "restart": lambda spec: evolve(spec, restart_nonce=(spec.restart_nonce or 0) + 1),
    "stateless": lambda spec: with_job(spec, upgrade_mode=UpgradeMode.STATELESS),
    "savepoint": lambda spec: with_job(spec, upgrade_mode=UpgradeMode.SAVEPOINT),
    "last-state": lambda spec: with_job(spec, upgrade_mode=UpgradeMode.LAST_STATE),
    "suspend": lambda spec: with_job(spec, state=JobState.SUSPENDED),
    "run": lambda spec: with_job(spec, state=JobState.RUNNING),
    "redeploy": _redeploy,
    "version": _other_version,
    "ha": _ha,
    "rollback": _option(options.ROLLBACK_ENABLED.key),
    "restart failed": _option(options.RESTART_FAILED_JOBS.key),
    "savepoint on deletion": _option(options.SAVEPOINT_ON_DELETION.key),
    "cancel for last-state": _option(options.LAST_STATE_CANCEL_ENABLED.key),
    "no fallback": _off(options.LAST_STATE_FALLBACK_ENABLED.key),
    "no recovery": _off(options.JM_RECOVERY_ENABLED.key),
}


_texts: dict[int, tuple[FlinkDeploymentSpec, str]] = {}
_MANY: Final = 10_000


def spec_text(spec: FlinkDeploymentSpec) -> str:
    """Return a text that tells specs apart; one for each value is kept, because it is asked for all the time."""
    known = _texts.get(id(spec))
    if known is not None and known[0] is spec:
        return known[1]
    if len(_texts) > _MANY:
        _texts.clear()
    text = recorded_spec.encode(spec, first_deployment=False)
    _texts[id(spec)] = (spec, text)
    return text
