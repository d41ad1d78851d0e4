"""The immutable configuration."""

import pytest

from flinkop.config import errors, flink_options as opt, options
from flinkop.config.flink_conf import FlinkConf


def test_reads_by_option():
    """The own key first, then older ones in order, then the default."""
    older = FlinkConf({"recovery.mode": "zookeeper", "high-availability": "kubernetes"})
    assert older.get(opt.HA_TYPE) == "zookeeper"
    assert older.with_({"high-availability.type": "none"}).get(opt.HA_TYPE) == "none"
    assert FlinkConf().get(opt.HA_TYPE) == "NONE"


def test_bind_port_falls_back():
    """The REST server binds the port of the Service unless told otherwise, as Flink has it."""
    assert FlinkConf({"rest.port": "9999"}).get(opt.REST_BIND_PORT) == "9999"


def test_prefix_maps():
    """A map may be spread over keys, but the exact key wins."""
    spread = FlinkConf(
        {"kubernetes.jobmanager.labels.team": "a", "kubernetes.jobmanager.labelsx": "no"}
    )
    assert spread.get(opt.JM_LABELS) == {"team": "a"}
    assert spread.has(opt.JM_LABELS)
    both = spread.with_({"kubernetes.jobmanager.labels": "x:y"})
    assert both.get(opt.JM_LABELS) == {"x": "y"}
    assert not FlinkConf().has(opt.JM_LABELS)
    assert not FlinkConf().has(opt.IMAGE)


def test_prefix_view():
    """A prefix view is sorted and excludes the bare prefix."""
    conf = FlinkConf({"a.z": "1", "a.": "0", "a.b": "2", "b": "3"})
    assert list(conf.prefix("a.").items()) == [("b", "2"), ("z", "1")]


def test_errors_name_key_and_value():
    """An unreadable value is named with its key, unless the key is sensitive."""
    with pytest.raises(errors.ConfigValueError, match=r"'soon' for key '.*reconcile.interval'"):
        FlinkConf({options.RECONCILE_INTERVAL.key: "soon"}).get(options.RECONCILE_INTERVAL)
    secret = errors.ConfigValueError("my.password", "hunter2", "why")
    assert "hunter2" not in str(secret)
    assert len(str(errors.ConfigValueError("k", "x" * 9999, "why"))) < 400


def test_copies():
    """Every change is a copy."""
    conf = FlinkConf({"a": "1", "kubernetes.operator.x": "2"})
    assert conf.with_({"b": "2"}).without(["a"]).to_dict() == {
        "kubernetes.operator.x": "2",
        "b": "2",
    }
    assert conf.without_prefixes("kubernetes.operator.", "z") == FlinkConf({"a": "1"})
    assert dict.fromkeys(conf) == {"a": None, "kubernetes.operator.x": None}
    assert len(conf) == 2
    assert "a" in conf
    assert conf.text("b", "?") == "?"
    assert conf.__eq__({}) is NotImplemented


def test_masking():
    """Sensitive values never show."""
    conf = FlinkConf({"s3.secret-key": "x", "s3.path": "y"})
    assert conf.masked() == {"s3.secret-key": "******", "s3.path": "y"}
    assert "'x'" not in repr(conf)
