"""What must not change once something was deployed: one table for the CRDs (CEL) and for Python.

A CEL rule refuses an update at the API server, before anything is stored; its Python twin judges the same
fault later, from the remembered spec, because a CRD may be older than the operator and a stored object
older than the CRD. CEL rules refuse nothing on creation, nothing that leaves the field alone (status
writes, labels, finalizers), and never the way back to what is deployed: they compare the old object with
the new one and with the text of `lastReconciledSpec`, which both operators write in the same form.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

from flinkop.api.common import KubernetesDeploymentMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.api.validation import Problem

SpecT = TypeVar("SpecT", FlinkDeploymentSpec, FlinkSessionJobSpec)


@attrs.frozen(kw_only=True)
class TransitionRule(Generic[SpecT]):
    """One change that is refused once something was reconciled.

    Attributes:
        number: the rule's number in `api.md` 4.
        reason: the fault's name, as in Problem.
        field_path: the field at fault, below the resource.
        message: cause, then remedy.
        cel: true while the update is allowed; evaluated at the schema's root, with `oldSelf`.
        is_broken: the Python twin: (spec, last reconciled spec) → whether the fault is there.
    """

    number: str
    reason: str
    field_path: str
    message: str
    cel: str
    is_broken: Callable[[SpecT, SpecT], bool]

    def problem(self) -> Problem:
        """Return the Problem that a broken rule is reported with."""
        return Problem(self.field_path, self.reason, self.message)


def first_broken(
    rules: tuple[TransitionRule[SpecT], ...], spec: SpecT, last_reconciled: SpecT | None
) -> Problem | None:
    """Return the first forbidden change from the last reconciled spec, if anything was reconciled."""
    if last_reconciled is None:
        return None
    for rule in rules:
        if rule.is_broken(spec, last_reconciled):
            return rule.problem()
    return None


_RECONCILED = (
    "has(self.status) && has(self.status.reconciliationStatus)"
    " && has(self.status.reconciliationStatus.lastReconciledSpec)"
)
_LAST = "self.status.reconciliationStatus.lastReconciledSpec"


def _had(field: str) -> str:
    return f"(has(oldSelf.spec) && has(oldSelf.spec.{field}))"


def _has(field: str) -> str:
    return f"(has(self.spec) && has(self.spec.{field}))"


def _text(owner: str, field: str) -> str:
    return f"(has({owner}.spec) && has({owner}.spec.{field}) ? {owner}.spec.{field} : '')"


def _last_mode(*modes: str) -> str:
    texts = ("null" if mode == "null" else f'"{mode}"' for mode in modes)
    options = (f"""{_LAST}.contains('"mode":{text}}},"resource_metadata"')""" for text in texts)
    return f"({' || '.join(options)})"


def _is_standalone(spec: FlinkDeploymentSpec) -> bool:
    return spec.effective_mode is KubernetesDeploymentMode.STANDALONE


def _unless(*faults: str) -> str:
    return f"!({' && '.join(faults)})"


FLINKDEPLOYMENT: tuple[TransitionRule[FlinkDeploymentSpec], ...] = (
    TransitionRule(
        number="D17",
        reason="JobAddedToSessionCluster",
        field_path="spec.job",
        message=(
            "a job was added to a session cluster, which cannot become an application cluster: "
            "remove spec.job and create a FlinkSessionJob, or create another FlinkDeployment"
        ),
        cel=_unless(
            _has("job"),
            "!" + _had("job"),
            _RECONCILED,
            f"""{_LAST}.startsWith('{{"spec":{{"job":null')""",
        ),
        is_broken=lambda spec, last: spec.job is not None and last.job is None,
    ),
    TransitionRule(
        number="D17",
        reason="JobRemovedFromApplicationCluster",
        field_path="spec.job",
        message=(
            "the job was removed from an application cluster, which cannot become a session cluster: "
            "set spec.job.state to suspended to stop the job, or delete the FlinkDeployment"
        ),
        cel=_unless(
            "!" + _has("job"),
            _had("job"),
            _RECONCILED,
            f"""{_LAST}.startsWith('{{"spec":{{"job":{{')""",
        ),
        is_broken=lambda spec, last: spec.job is None and last.job is not None,
    ),
    TransitionRule(
        number="D18",
        reason="ModeSwitchedToStandalone",
        field_path="spec.mode",
        message=(
            "spec.mode was switched to standalone, but the running cluster is native: "
            "set it back to native, or create another FlinkDeployment"
        ),
        cel=_unless(
            f"{_text('self', 'mode')} == 'standalone'",
            f"{_text('oldSelf', 'mode')} != 'standalone'",
            _RECONCILED,
            _last_mode("null", "native"),
        ),
        is_broken=lambda spec, last: _is_standalone(spec) and not _is_standalone(last),
    ),
    TransitionRule(
        number="D18",
        reason="ModeSwitchedToNative",
        field_path="spec.mode",
        message=(
            "spec.mode was switched to native, but the running cluster is standalone: "
            "set it back to standalone, or create another FlinkDeployment"
        ),
        cel=_unless(
            f"{_text('self', 'mode')} != 'standalone'",
            f"{_text('oldSelf', 'mode')} == 'standalone'",
            _RECONCILED,
            _last_mode("standalone"),
        ),
        is_broken=lambda spec, last: _is_standalone(last) and not _is_standalone(spec),
    ),
)
"""Rules D17 and D18: what kind of cluster it is stays."""

FLINKSESSIONJOB: tuple[TransitionRule[FlinkSessionJobSpec], ...] = (
    TransitionRule(
        number="S3",
        reason="DeploymentNameChanged",
        field_path="spec.deploymentName",
        message=(
            "spec.deploymentName was changed, but the job runs on the session cluster named before: "
            "set it back, or create another FlinkSessionJob"
        ),
        cel=_unless(
            f"{_text('self', 'deploymentName')} != {_text('oldSelf', 'deploymentName')}",
            _RECONCILED,
            f"""{_LAST}.contains('"deploymentName":"')""",
            f"""!{_LAST}.substring({_LAST}.lastIndexOf('"deploymentName":"') + 18)"""
            f""".startsWith({_text("self", "deploymentName")} + '"')""",
        ),
        is_broken=lambda spec, last: spec.deployment_name != last.deployment_name,
    ),
)
"""Rule S3: a session job stays on its cluster."""
