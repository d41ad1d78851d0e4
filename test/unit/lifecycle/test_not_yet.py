"""What this version refuses, and in which words."""

import pytest
from attrs import evolve
from fakes.deployments import application, session

from flinkop.api.common import JobSpec, KubernetesDeploymentMode
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import not_yet

O = "kubernetes.operator."  # noqa: E741 - a prefix


def found(spec, recorded=None, conf=None):
    return not_yet.first_problem(spec, recorded, FlinkConf(conf or {}))


@pytest.mark.parametrize("spec", [application(), session()])
@pytest.mark.parametrize("mode", [None, *KubernetesDeploymentMode])
def test_all_kinds_of_clusters_are_supported(spec, mode):
    """Native and standalone, applications and session clusters."""
    assert found(evolve(spec, mode=mode)) is None
    assert found(evolve(spec, mode=mode), JobSpec()) is None


@pytest.mark.parametrize("name", ["savepoint_trigger_nonce", "checkpoint_trigger_nonce"])
def test_a_new_nonce_asks_for_what_cannot_be_done(name):
    """Unchanged ones, ones taken away, and those of a first spec ask for nothing."""
    spec = application(**{name: 2})
    old, same = application(**{name: 1}).job, spec.job
    assert found(spec) is None
    assert found(spec, same) is None
    assert found(application(), same) is None
    for recorded in (JobSpec(), old):
        problem = found(spec, recorded)
        assert problem is not None
        assert "nonce" in problem.field_path.lower()


@pytest.mark.parametrize(
    ("key", "wish", "harmless"),
    [
        (O + "periodic.savepoint.interval", "10m", ""),
        (O + "periodic.savepoint.interval", "0 0 12 * * ?", "0"),
        (O + "periodic.checkpoint.interval", "10m", " "),
    ],
)
def test_options_that_have_no_effect_yet_are_refused(key, wish, harmless):
    """Better told than ignored; their neutral values pass, and session clusters do not read them."""
    problem = found(application(), conf={key: wish})
    assert problem is not None
    assert problem.field_path == f"spec.flinkConfiguration[{key}]"
    assert found(application(), conf={key: harmless}) is None
    assert found(session(), conf={key: wish}) is None


def test_what_is_accepted_without_effect_is_told():
    """An autoscaler that nobody runs yet must not be waited for."""
    asked = FlinkConf({"job.autoscaler.enabled": "true"})
    assert [("autoscaler" in text) for text in not_yet.without_effect(asked)] == [True]
    assert list(not_yet.without_effect(FlinkConf({}))) == []
