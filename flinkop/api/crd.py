"""The CustomResourceDefinitions of the kinds (`api.md` 1), generated; hack/update_crds.py writes them."""

from typing import Any

import attrs

from flinkop.api import schema, transitions
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.flinkstatesnapshot import FlinkStateSnapshotSpec, FlinkStateSnapshotStatus
from flinkop.api.status import FlinkDeploymentStatus, FlinkSessionJobStatus

GROUP = "flink.apache.org"
VERSION = "v1beta1"
CATEGORY = "flink"


@attrs.frozen
class Column:
    """A column of `kubectl get`; priority 1 shows with `-o wide` only."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


@attrs.frozen(kw_only=True)
class Kind:
    """What a CRD needs to know of a kind."""

    kind: str
    plural: str
    short_name: str
    description: str
    spec: type[Any]
    status: type[Any]
    columns: tuple[Column, ...]
    rules: tuple[transitions.TransitionRule[Any], ...] = ()
    scale: bool = False

    @property
    def crd_name(self) -> str:
        """The name of the CRD object."""
        return f"{self.plural}.{GROUP}"


_JOB_STATUS = Column("Job Status", ".status.jobStatus.state")
_LIFECYCLE_STATE = Column("Lifecycle State", ".status.lifecycleState")
_UPGRADE_MODE = Column("Upgrade Mode", ".spec.job.upgradeMode", priority=1)
_ERROR = Column("Error", ".status.error", priority=1)
_AGE = Column("Age", ".metadata.creationTimestamp", type="date")

FLINKDEPLOYMENT = Kind(
    kind="FlinkDeployment",
    plural="flinkdeployments",
    short_name="flinkdep",
    description="A Flink cluster: with a job of its own (application) or for FlinkSessionJobs (session).",
    spec=FlinkDeploymentSpec,
    status=FlinkDeploymentStatus,
    columns=(
        _JOB_STATUS,
        _LIFECYCLE_STATE,
        Column("JobManager", ".status.jobManagerDeploymentStatus", priority=1),
        Column("Flink Version", ".spec.flinkVersion", priority=1),
        _UPGRADE_MODE,
        _ERROR,
        _AGE,
    ),
    rules=transitions.FLINKDEPLOYMENT,
    scale=True,
)

FLINKSESSIONJOB = Kind(
    kind="FlinkSessionJob",
    plural="flinksessionjobs",
    short_name="sessionjob",
    description="A job on a session cluster, which a FlinkDeployment without a job describes.",
    spec=FlinkSessionJobSpec,
    status=FlinkSessionJobStatus,
    columns=(
        _JOB_STATUS,
        _LIFECYCLE_STATE,
        Column("Session Cluster", ".spec.deploymentName", priority=1),
        _UPGRADE_MODE,
        _ERROR,
        _AGE,
    ),
    rules=transitions.FLINKSESSIONJOB,
)

FLINKSTATESNAPSHOT = Kind(
    kind="FlinkStateSnapshot",
    plural="flinkstatesnapshots",
    short_name="flinksnp",
    description="A savepoint or checkpoint of a job: taken, or registered because it is there.",
    spec=FlinkStateSnapshotSpec,
    status=FlinkStateSnapshotStatus,
    columns=(
        Column("Path", ".status.path"),
        Column("Result Timestamp", ".status.resultTimestamp"),
        Column("Snapshot State", ".status.state"),
        Column("Type", r".metadata.labels.snapshot\.type", priority=1),
        Column("Trigger", r".metadata.labels.snapshot\.trigger-type", priority=1),
        Column("Job", ".spec.jobReference.name", priority=1),
        Column("Failures", ".status.failures", type="integer", priority=1),
        _ERROR,
        _AGE,
    ),
)

KINDS = (FLINKDEPLOYMENT, FLINKSESSIONJOB, FLINKSTATESNAPSHOT)


def document(kind: Kind, pod: schema.Schema) -> dict[str, Any]:
    """Return the CRD of a kind; `pod` is the schema of pod templates (`schema.of_pod`)."""
    subresources: dict[str, Any] = {"status": {}}
    if kind.scale:
        subresources["scale"] = {
            "specReplicasPath": ".spec.taskManager.replicas",
            "statusReplicasPath": ".status.taskManager.replicas",
            "labelSelectorPath": ".status.taskManager.labelSelector",
        }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.crd_name},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.kind.lower(),
                "shortNames": [kind.short_name],
                "categories": [CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": subresources,
                    "additionalPrinterColumns": [_column(column) for column in kind.columns],
                    "schema": {"openAPIV3Schema": _root(kind, pod)},
                }
            ],
        },
    }


def _root(kind: Kind, pod: schema.Schema) -> schema.Schema:
    spec, status = schema.of_class(kind.spec, pod), schema.of_class(kind.status, pod)
    root: schema.Schema = {
        "description": kind.description,
        "type": "object",
        "properties": {
            "spec": {"description": schema.summary(kind.spec), **spec},
            "status": {"description": schema.summary(kind.status), **status},
        },
    }
    if kind.rules:
        root["x-kubernetes-validations"] = [_rule(rule) for rule in kind.rules]
    return root


def _rule(rule: transitions.TransitionRule[Any]) -> dict[str, Any]:
    return {
        "rule": rule.cel,
        "message": rule.message,
        "fieldPath": f".{rule.field_path}",
        "reason": "FieldValueForbidden",
    }


def _column(column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    if column.priority:
        made["priority"] = column.priority
    return made
