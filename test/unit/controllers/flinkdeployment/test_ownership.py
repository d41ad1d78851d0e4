"""Whose a Deployment is."""

import pytest

from flinkop.controllers.flinkdeployment import ownership
from flinkop.kube.meta import Meta, OwnerRef

LABELS = {"app": "basic", "component": "jobmanager", "type": "flink-native-kubernetes"}
STANDALONE = {**LABELS, "component": "taskmanager", "type": "flink-standalone-kubernetes"}


def metadata(labels=LABELS, *owners):
    return Meta(name="basic", namespace="ns", labels=labels, owner_references=owners)


def owner(uid):
    return OwnerRef(kind="FlinkDeployment", name="basic", uid=uid)


@pytest.mark.parametrize(
    ("found", "deployed", "ours"),
    [
        (metadata(LABELS, owner("u")), True, True),
        (metadata(LABELS, owner("u")), False, True),
        (metadata({}, owner("u")), False, True),
        (metadata(LABELS, owner("another")), True, False),
        (metadata(LABELS, owner("another"), owner("u")), True, True),
        (metadata(), True, True),
        (metadata(STANDALONE), True, True),
        (metadata(), False, False),
        (metadata({**LABELS, "app": "another"}), True, False),
        (metadata({"app": "basic"}), True, False),
        (metadata({}), True, False),
    ],
)
def test_whose_it_is(found, deployed, ours):
    """The owner decides; without one, the labels of Flink, once something was deployed."""
    assert ownership.is_ours(found, name="basic", uid="u", deployed=deployed) is ours


def test_an_owned_one_is_not_looked_up_by_its_labels():
    """Its owner is the way to it."""
    assert ownership.cluster_without_owner(metadata()) == "basic"
    assert ownership.cluster_without_owner(metadata(LABELS, owner("u"))) is None
