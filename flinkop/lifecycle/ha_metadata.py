"""What HA metadata in ConfigMaps tells: whether there is any, and whether a checkpoint is in it; pure.

behaviour.md 3.14, kubernetes-objects.md 2.2. Layouts: from Flink 1.15 one map for the cluster and one for each
job (`<cluster>-<job>-config-map`), before that one for each leader (`<cluster>-<job>-jobmanager-leader`).
"""

from collections.abc import Iterable
from typing import Final

from attrs import frozen

JOB_GRAPH_KEYS: Final = ("jobGraph-", "executionPlan-")
"""How the keys of job graphs begin: a JobManager runs every job whose graph it finds."""

_CHECKPOINT_KEY: Final = "checkpointID-"
_CLUSTER_MAP: Final = "-cluster-config-map"
_JOB_MAPS: Final = ("-config-map", "-jobmanager-leader")


@frozen
class HaFacts:
    """The HA metadata of one cluster.

    Attributes:
        available: whether there is any that a job can be recovered from.
        has_checkpoint: whether a checkpoint is in it.
    """

    available: bool
    has_checkpoint: bool = False


@frozen
class HaMap:
    """One ConfigMap: its name, the keys of its data, whether it is being deleted."""

    name: str
    keys: frozenset[str]
    deleting: bool = False


def judge(maps: Iterable[HaMap], job_id: str | None = None) -> HaFacts:
    """Return what the maps tell of the job `job_id`, None for any job.

    What is being deleted, and the cluster's own map, do not count. The reference does not ask whose metadata
    it is; a job would then be started from what another left, which it cannot read.
    """
    whose = "" if job_id is None else f"-{job_id}-"
    jobs = [one for one in maps if _is_of_a_job(one) and whose in one.name]
    has_checkpoint = any(key.startswith(_CHECKPOINT_KEY) for one in jobs for key in one.keys)
    return HaFacts(available=bool(jobs), has_checkpoint=has_checkpoint)


def job_graphs(one: HaMap) -> list[str]:
    """Return the keys of the job graphs in a map."""
    return sorted(key for key in one.keys if key.startswith(JOB_GRAPH_KEYS))


def _is_of_a_job(one: HaMap) -> bool:
    return not one.deleting and one.name.endswith(_JOB_MAPS) and not one.name.endswith(_CLUSTER_MAP)
