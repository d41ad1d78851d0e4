"""Whether a Deployment is of a FlinkDeployment's cluster; pure.

    owned by the resource's uid ──> ours
    owned by anything else ───────> somebody else's
    owned by nobody ──────────────> ours, if it bears the cluster's labels and the status tells of a cluster

The reference sets an owner since release 1.4 only, and for recovered session clusters later still. Clusters
that it made before run for years, and are found by their labels, as it found them itself.
"""

from typing import Final

from flinkop.kube import meta

_TYPE: Final = "type"
_TYPES: Final = frozenset({"flink-native-kubernetes", "flink-standalone-kubernetes"})
_APP: Final = "app"


def is_ours(found: meta.Meta, *, name: str, uid: str, deployed: bool) -> bool:
    """Tell whether a Deployment belongs to the FlinkDeployment of that name and uid.

    `deployed` says whether its status records a deployment: before that, nothing without an owner is its own.
    """
    if found.owner_references:
        return any(owner.uid == uid for owner in found.owner_references)
    return deployed and cluster_without_owner(found) == name


def cluster_without_owner(found: meta.Meta) -> str | None:
    """Return the name of the cluster that a Deployment without an owner is of, by its labels."""
    if found.owner_references or found.labels.get(_TYPE) not in _TYPES:
        return None
    return found.labels.get(_APP)
