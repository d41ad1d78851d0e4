"""FlinkStateSnapshots as objects: names and labels of all, bodies of those the operator makes; pure.

behaviour.md 5.1 and 5.2. A snapshot that was made for a trigger nonce carries the nonce as an
annotation, so that an operator that was killed right after its creation finds the nonce handled; one
made for an upgrade is recognised by its path.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from flinkop.api import codec
from flinkop.api.flinkstatesnapshot import (
    CheckpointSpec,
    FlinkStateSnapshotSpec,
    FlinkStateSnapshotStatus,
    JobKind,
    JobReference,
    SavepointSpec,
    SnapshotState,
    SnapshotType,
)
from flinkop.api.status import SavepointFormatType, SnapshotTriggerType
from flinkop.kube import meta

TYPE_LABEL: Final = "snapshot.type"
TRIGGER_TYPE_LABEL: Final = "snapshot.trigger-type"
STATE_LABEL: Final = "snapshot.state"
JOB_KIND_LABEL: Final = "job-reference.kind"
JOB_NAME_LABEL: Final = "job-reference.name"

NONCE_ANNOTATION: Final = "snapshot.trigger-nonce"
"""The savepointTriggerNonce or checkpointTriggerNonce that a MANUAL snapshot was made for."""

_LONGEST_NAME: Final = 253
_LONGEST_LABEL: Final = 63
_DIGEST: Final = 8


@frozen
class JobOfSnapshot:
    """The job of a snapshot that the operator makes.

    Attributes:
        kind: kind of the job's resource.
        namespace: its namespace, and the snapshot's.
        name: its name.
        label_selector: `kubernetes.operator.label.selector`, by which the snapshot must be found too.
    """

    kind: JobKind
    namespace: str
    name: str
    label_selector: str | None = None


@frozen(kw_only=True)
class Occasion:
    """Why and when a snapshot is made.

    Attributes:
        trigger: why.
        at_ms: when, in milliseconds since 1970; part of its name.
        nonce: the trigger nonce of a MANUAL one.
    """

    trigger: SnapshotTriggerType
    at_ms: int
    nonce: int | None = None


@frozen(kw_only=True)
class SavepointWish:
    """How the operator takes its savepoints, or where one is that it has taken.

    Attributes:
        path: directory for a savepoint to be taken; the savepoint itself with `exists`.
        format_type: binary format.
        dispose: `kubernetes.operator.savepoint.dispose-on-delete`.
        exists: whether it was taken already, by an upgrade.
    """

    path: str | None
    format_type: SavepointFormatType = SavepointFormatType.CANONICAL
    dispose: bool = False
    exists: bool = field(default=False)


def body(job: JobOfSnapshot, occasion: Occasion, savepoint: SavepointWish | None) -> dict[str, Any]:
    """Return the object to create: a savepoint, or a checkpoint when there is no wish for one (5.2)."""
    kind = SnapshotType.CHECKPOINT if savepoint is None else SnapshotType.SAVEPOINT
    spec = FlinkStateSnapshotSpec(
        job_reference=JobReference(kind=job.kind, name=job.name),
        savepoint=None if savepoint is None else _savepoint(savepoint),
        checkpoint=CheckpointSpec() if savepoint is None else None,
        backoff_limit=0,
    )
    metadata: dict[str, Any] = {
        "name": name(job.name, kind, occasion),
        "namespace": job.namespace,
        "labels": {**selected(job.label_selector), TRIGGER_TYPE_LABEL: occasion.trigger.value},
    }
    if occasion.nonce is not None:
        metadata["annotations"] = {NONCE_ANNOTATION: str(occasion.nonce)}
    return {
        "apiVersion": meta.FLINKSTATESNAPSHOTS.api_version,
        "kind": meta.FLINKSTATESNAPSHOTS.kind,
        "metadata": metadata,
        "spec": codec.encode(spec, codec.Omit.NULLS),
    }


def _savepoint(wish: SavepointWish) -> SavepointSpec:
    return SavepointSpec(
        path=wish.path,
        format_type=wish.format_type,
        dispose_on_delete=wish.dispose,
        already_exists=wish.exists,
    )


def name(job: str, kind: SnapshotType, occasion: Occasion) -> str:
    """Return `<job>-<savepoint|checkpoint>-<manual|periodic|upgrade>-<epoch ms>`.

    Of a job whose name leaves no room for the rest only the beginning is kept, with a digest of the
    whole, so that two long names with the same beginning stay apart.
    """
    tail = f"-{kind.value.lower()}-{occasion.trigger.value.lower()}-{occasion.at_ms}"
    room = _LONGEST_NAME - len(tail)
    if len(job) > room:
        digest = hashlib.sha256(job.encode()).hexdigest()[:_DIGEST]
        job = f"{job[: room - _DIGEST - 1].rstrip('-.')}-{digest}"
    return job + tail


def labels(
    spec: FlinkStateSnapshotSpec,
    status: FlinkStateSnapshotStatus,
    present: Mapping[str, str],
    *,
    job_found: bool,
) -> dict[str, str]:
    """Return the labels that the snapshot has to have (api.md 1.4).

    A job's name that is no label value, because it is too long, is left out: the API server would
    refuse all of them.
    """
    wanted = {
        TRIGGER_TYPE_LABEL: present.get(TRIGGER_TYPE_LABEL) or SnapshotTriggerType.MANUAL.value,
        STATE_LABEL: status.state.value,
    }
    if spec.type is not None:
        wanted[TYPE_LABEL] = spec.type.value
    job = spec.job_reference
    if job_found and job is not None and job.kind is not None and job.name is not None:
        wanted[JOB_KIND_LABEL] = job.kind.value
        if len(job.name) <= _LONGEST_LABEL:
            wanted[JOB_NAME_LABEL] = job.name
    return wanted


def trigger_type(present: Mapping[str, str]) -> SnapshotTriggerType:
    """Return why a snapshot was made, by its label; an absent or unknown word reads as UNKNOWN (5.1)."""
    try:
        return SnapshotTriggerType(present.get(TRIGGER_TYPE_LABEL, ""))
    except ValueError:
        return SnapshotTriggerType.UNKNOWN


def is_completed(present: Mapping[str, str]) -> bool:
    """Return whether the labels say that there is something to restore from."""
    return present.get(STATE_LABEL) == SnapshotState.COMPLETED


def nonce(annotations: Mapping[str, str]) -> int | None:
    """Return the trigger nonce that a snapshot was made for; None when it was made for none."""
    try:
        return int(annotations[NONCE_ANNOTATION])
    except (KeyError, ValueError):
        return None


_BETWEEN: Final = re.compile(r",(?![^(]*\))")
_EQUALITY: Final = re.compile(r"\s*([^\s=!]+)\s*==?\s*([^\s=!]*)\s*")


def selected(label_selector: str | None) -> dict[str, str]:
    """Return labels that satisfy the equalities of a label selector; its other terms cannot be given."""
    terms = (_EQUALITY.fullmatch(term) for term in _BETWEEN.split(label_selector or ""))
    return {term[1]: term[2] for term in terms if term}
