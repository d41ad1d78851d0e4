"""Where HA metadata is in ZooKeeper, as the configuration says (behaviour.md 3.14)."""

import pytest
from attrs import evolve

from flinkop.config.errors import ConfigValueError
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import ha_zookeeper
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.zookeeper.ensemble import Ensemble

HA = "high-availability."
BASE = {HA + "type": "zookeeper", HA + "zookeeper.quorum": "zk-0.zk.data:2181,zk-1.zk.data:2181"}


def read(**more):
    """Read the options, with others after `high-availability.zookeeper.`."""
    extra = {HA + "zookeeper." + key.replace("__", "."): value for key, value in more.items()}
    return ha_zookeeper.from_conf(FlinkConf({**BASE, **extra}), "ns", "basic")


@pytest.mark.parametrize("kind", ["NONE", "kubernetes", "org.example.Factory"])
def test_not_in_zookeeper(kind):
    """Whatever else is configured."""
    conf = FlinkConf({**BASE, HA + "type": kind})
    assert ha_zookeeper.from_conf(conf, "ns", "basic") is None


@pytest.mark.parametrize("key", [HA + "type", "high-availability", "recovery.mode"])
def test_where_it_is(key):
    """Below the root, by the name of the resource, for each Flink version."""
    conf = FlinkConf({HA + "zookeeper.quorum": "zk.data:2181", key: "ZooKeeper"})
    found = ha_zookeeper.from_conf(conf, "ns", "basic")
    assert found is not None
    assert found.ensemble == Ensemble(("zk.data:2181",))
    assert found.path == "/flink/basic"
    assert found.jobs == "/flink/basic/jobs"
    assert found.checkpoints("abc") == "/flink/basic/jobs/abc/checkpoints"
    assert found.job_graphs == ("/flink/basic/execution-plans", "/flink/basic/jobgraphs")


def test_other_paths():
    """Slashes are Flink's to mend; the older name of an option stands for the newer one."""
    found = read(path__root="//data/flink/", path__jobgraphs="graphs/of/jobs")
    assert found.path == "/data/flink/basic"
    assert found.job_graphs == ("/data/flink/basic/graphs/of/jobs",)
    assert read(path__root="/").path == "/basic"


def test_the_ensemble():
    """Spaces do not count, and a path behind the servers is the root of all others."""
    found = read(quorum=" a.b:1 , c.d:2,\n[::1]:3 /kept/here ")
    assert found.ensemble.servers == ("a.b:1", "c.d:2", "[::1]:3")
    assert found.path == "/kept/here/flink/basic"


def test_names_are_those_of_the_jobs_namespace():
    """A bare name is that of a Service beside the job, not of one beside the operator."""
    found = read(quorum="zk:2181,zk,localhost:2181,zk.other,10.0.0.1:2181")
    assert found.ensemble.servers == (
        "zk.ns:2181",
        "zk.ns",
        "localhost:2181",
        "zk.other",
        "10.0.0.1:2181",
    )


def test_credentials():
    """Scheme and secret of each."""
    found = read(client__authorization="digest:'flink:secret',other:x")
    assert found.ensemble.credentials == (("digest", "flink:secret"), ("other", "x"))


@pytest.mark.parametrize(
    "more",
    [
        {"quorum": ""},
        {"quorum": " , "},
        {"quorum": "/chroot"},
        {"path__root": "/flink/../kafka"},
        {"path__jobgraphs": "../../kafka/brokers"},
        {"quorum": "zk.data:2181/.."},
    ],
)
def test_what_leads_nowhere(more):
    """Refused, with the option's name."""
    with pytest.raises(ConfigValueError, match=r"high-availability\.zookeeper"):
        read(**more)


def test_the_same_place():
    """The same node of the same servers, of which some may have come or gone."""
    one = read()
    grown = read(quorum="zk-1.zk.data:2181,zk-2.zk.data:2181")
    other = read(quorum="other.data:2181")
    assert ha_zookeeper.is_same(None, None)
    assert ha_zookeeper.is_same(one, evolve(one, job_graphs=()))
    assert ha_zookeeper.is_same(one, grown)
    assert not ha_zookeeper.is_same(one, other)
    assert not ha_zookeeper.is_same(one, read(path__root="/elsewhere"))
    assert not ha_zookeeper.is_same(one, None)
    assert not ha_zookeeper.is_same(None, one)


def test_what_nodes_tell():
    """A job's node is metadata, also before its first checkpoint."""
    assert ha_zookeeper.judge({}) == HaFacts(available=False)
    assert ha_zookeeper.judge({"a": False}) == HaFacts(available=True)
    assert ha_zookeeper.judge({"a": False, "b": True}) == HaFacts(True, has_checkpoint=True)
