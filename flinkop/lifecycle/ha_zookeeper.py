"""Where Flink keeps HA metadata in ZooKeeper, and what its nodes tell; pure (behaviour.md 3.14).

    <root>/<cluster>/jobs/<job id>/checkpoints/<number>
                    /jobgraphs/<job id>           up to Flink 1.20
                    /execution-plans/<job id>     from Flink 2.0
                    /leader/...

Seen with Flink 1.15.4, 1.20.1 and 2.1.0. Nothing tells to which Kubernetes namespace the cluster belongs.
"""

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from flinkop.config import flink_options as opt
from flinkop.config.errors import ConfigValueError
from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle.ha_metadata import HaFacts
from flinkop.zookeeper.ensemble import Ensemble

FLINKS_OWN: Final = frozenset(
    {
        "checkpoint-counter",
        "checkpoints",
        "dispatcher",
        "execution-plans",
        "jobgraphs",
        "jobs",
        "latch",
        "leader",
        "leaderlatch",
        "resource_manager",
        "rest_server",
        "running_job_registry",
    }
)
"""Nodes that some Flink makes right below its cluster's. Others are not Flink's, and stay."""

_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")


@frozen
class ZooKeeper:
    """Where one cluster keeps its HA metadata.

    Attributes:
        ensemble: the servers.
        path: the cluster's own node.
        job_graphs: the nodes that hold its job graphs, in some Flink version.
    """

    ensemble: Ensemble
    path: str
    job_graphs: tuple[str, ...]

    @property
    def jobs(self) -> str:
        """The node that holds a node for each job."""
        return f"{self.path}/jobs"

    def checkpoints(self, job_id: str) -> str:
        """Return the node that holds a node for each checkpoint of a job."""
        return f"{self.jobs}/{job_id}/checkpoints"


def from_conf(conf: FlinkConf, namespace: str, name: str) -> ZooKeeper | None:
    """Return where the FlinkDeployment of that name keeps metadata; None when not in ZooKeeper.

    Raises:
        ConfigValueError: it is to be in ZooKeeper, and the options do not say where.
    """
    if conf.get(opt.HA_TYPE).lower() != "zookeeper":
        return None
    quorum = "".join((conf.get(opt.HA_ZOOKEEPER_QUORUM) or "").split())
    hosts, _, chroot = quorum.partition("/")
    servers = tuple(_seen_from_outside(host, namespace) for host in hosts.split(",") if host)
    if not servers:
        raise ConfigValueError(
            opt.HA_ZOOKEEPER_QUORUM.key, quorum, "name the ZooKeeper servers, as host:port"
        )
    credentials = tuple(sorted(conf.get(opt.HA_ZOOKEEPER_AUTHORIZATION).items()))
    path = _path(opt.HA_ZOOKEEPER_ROOT.key, chroot, conf.get(opt.HA_ZOOKEEPER_ROOT), name)
    graphs = {
        _path(option.key, path, conf.get(option))
        for option in (opt.HA_ZOOKEEPER_JOBGRAPHS, opt.HA_ZOOKEEPER_EXECUTION_PLANS)
    }
    return ZooKeeper(Ensemble(servers, credentials), path, tuple(sorted(graphs)))


def is_same(one: ZooKeeper | None, other: ZooKeeper | None) -> bool:
    """Whether what is kept in one place is found in the other; None is for ConfigMaps.

    Ensembles that share a server are the same one, with servers added or taken away.
    """
    if one is None or other is None:
        return one is other
    shared = set(one.ensemble.servers) & set(other.ensemble.servers)
    return one.path == other.path and bool(shared)


def judge(jobs: Mapping[str, bool]) -> HaFacts:
    """Return what the nodes of jobs tell: for each job whether a checkpoint is in its metadata.

    A job that ends by itself takes its node away.
    """
    return HaFacts(available=bool(jobs), has_checkpoint=any(jobs.values()))


def is_job_id(name: str) -> bool:
    """Whether a node is one of a job."""
    return _JOB_ID.fullmatch(name) is not None


def _seen_from_outside(host: str, namespace: str) -> str:
    """Return the server as the operator finds it: a bare name is that of a Service in the job's namespace."""
    name, colon, port = host.partition(":")
    bare = bool(name) and "." not in name and name != "localhost" and not host.startswith("[")
    return f"{name}.{namespace}{colon}{port}" if bare else host


def _path(key: str, *parts: str) -> str:
    """Join parts as Flink does; none of them may lead anywhere else."""
    names = [name for part in parts for name in part.split("/") if name]
    if any(name in (".", "..") for name in names):
        raise ConfigValueError(key, parts[-1], "write the path of a node, such as /flink")
    return "/" + "/".join(names)
