"""What must not change once deployed, judged from the remembered spec."""

import pytest

from flinkop.api import transitions
from flinkop.api.common import JobSpec, KubernetesDeploymentMode
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec

SESSION = FlinkDeploymentSpec()
APPLICATION = FlinkDeploymentSpec(job=JobSpec())
NATIVE = FlinkDeploymentSpec(mode=KubernetesDeploymentMode.NATIVE)
STANDALONE = FlinkDeploymentSpec(mode=KubernetesDeploymentMode.STANDALONE)


@pytest.mark.parametrize(
    ("spec", "last", "reason"),
    [
        (APPLICATION, None, None),
        (APPLICATION, APPLICATION, None),
        (APPLICATION, SESSION, "JobAddedToSessionCluster"),
        (SESSION, APPLICATION, "JobRemovedFromApplicationCluster"),
        (NATIVE, SESSION, None),
        (SESSION, NATIVE, None),
        (STANDALONE, STANDALONE, None),
        (STANDALONE, NATIVE, "ModeSwitchedToStandalone"),
        (STANDALONE, SESSION, "ModeSwitchedToStandalone"),
        (SESSION, STANDALONE, "ModeSwitchedToNative"),
    ],
)
def test_kinds_of_clusters_stay(spec, last, reason):
    """D17 and D18; an absent mode is native."""
    found = transitions.first_broken(transitions.FLINKDEPLOYMENT, spec, last)
    assert (found and found.reason) == reason


def test_a_session_job_stays_on_its_cluster():
    """S3."""
    one, other = FlinkSessionJobSpec(deployment_name="a"), FlinkSessionJobSpec(deployment_name="b")
    assert transitions.first_broken(transitions.FLINKSESSIONJOB, one, one) is None
    found = transitions.first_broken(transitions.FLINKSESSIONJOB, other, one)
    assert found is not None
    assert found.field_path == "spec.deploymentName"


@pytest.mark.parametrize("rule", [*transitions.FLINKDEPLOYMENT, *transitions.FLINKSESSIONJOB])
def test_every_cel_rule_compares_with_the_old_object(rule):
    """Rules with oldSelf are not evaluated on creation, so they refuse nothing there."""
    assert "oldSelf" in rule.cel
    assert "has(self.status)" in rule.cel
    assert len(rule.message) < 2048
    assert ": " in rule.message
