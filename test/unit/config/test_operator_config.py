"""The operator's typed options."""

import datetime as dt

import pytest

from flinkop.config import errors
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.operator_config import OperatorConfig, WatchScope
from flinkop.config.snapshot import ConfigSnapshot

K = "kubernetes.operator."


def read(entries, environ=None):
    """Read an OperatorConfig."""
    return OperatorConfig.read(FlinkConf(entries), environ)


def test_defaults():
    """Everything has a default."""
    config = read({})
    assert config.reconcile_interval == dt.timedelta(minutes=1)
    assert config.watch == WatchScope(all_namespaces=True)
    assert config.retry.max_attempts == 15
    assert config.leader_election.enabled is False
    assert config.errors.max_causes == 2


@pytest.mark.parametrize(
    ("text", "environ", "scope"),
    [
        ("b , a,a", {}, WatchScope(namespaces=("a", "b"))),
        ("JOSDK_WATCH_CURRENT", {}, WatchScope(current_namespace=True)),
        ("a", {"WATCH_NAMESPACES": "c"}, WatchScope(namespaces=("c",))),
        ("a", {"WATCH_NAMESPACES": "  "}, WatchScope(namespaces=("a",))),
        (" , ", {}, WatchScope(all_namespaces=True)),
    ],
)
def test_watched_namespaces(text, environ, scope):
    """A list, one of two special words, and the environment before the file."""
    assert read({K + "watched.namespaces": text}, environ).watch == scope


def test_special_word_beside_namespaces():
    """A special word stands alone."""
    with pytest.raises(errors.ConfigError, match="WATCH_NAMESPACES lists JOSDK_ALL_NAMESPACES"):
        read({}, {"WATCH_NAMESPACES": "JOSDK_ALL_NAMESPACES,a"})


def test_leader_election():
    """Leader election needs a lease name and times that go together."""
    enabled = {K + "leader-election.enabled": "true"}
    with pytest.raises(errors.ConfigError, match="lease-name"):
        read(enabled)
    named = {**enabled, K + "leader-election.lease-name": "lease"}
    assert read(named).leader_election.lease_name == "lease"
    with pytest.raises(errors.ConfigError, match="do not go together"):
        read({**named, K + "leader-election.renew-deadline": "20 s"})


def test_snapshot_resolves_per_namespace():
    """A snapshot gives the operator's options of a namespace, and the same object again."""
    snapshot = ConfigSnapshot.make(
        FlinkConf(
            {
                K + "default-configuration.namespace.ns1." + K + "reconcile.interval": "5 s",
                "parallelism.default": "3",
            }
        ),
        {},
        {},
    )
    one = snapshot.operator_config("ns1")
    assert one.reconcile_interval == dt.timedelta(seconds=5)
    assert snapshot.operator_config("ns1") is one
    assert snapshot.operator_config("ns2") is snapshot.operator_config("ns3")
    assert snapshot.operator.reconcile_interval == dt.timedelta(minutes=1)
    assert snapshot.effective("x").text("parallelism.default") == "3"
    assert snapshot.default.text("parallelism.default") == "3"
