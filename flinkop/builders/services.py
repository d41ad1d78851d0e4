"""The Services of a cluster (`kubernetes-objects.md` 1.7)."""

from collections.abc import Mapping
from typing import Any

from flinkop.builders import checks
from flinkop.builders.identity import ClusterIdentity, common_labels, jobmanager_labels
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.flink_options import ServiceExposure


def internal(identity: ClusterIdentity, kind: str, conf: FlinkConf) -> dict[str, Any]:
    """Return the headless Service under which TaskManagers find the JobManager."""
    spec = {
        "clusterIP": "None",
        "selector": jobmanager_labels(identity.name, kind),
        "ports": [
            {"name": "jobmanager-rpc", "port": conf.get(opt.RPC_PORT)},
            {"name": "blobserver", "port": checks.fixed_port(conf, opt.BLOB_PORT)},
        ],
    }
    annotations = conf.get(opt.INTERNAL_SERVICE_ANNOTATIONS)
    return _service(identity.name, common_labels(identity.name, kind), annotations, spec)


def rest(identity: ClusterIdentity, kind: str, conf: FlinkConf) -> dict[str, Any]:
    """Return the Service for Flink's REST API and web interface."""
    exposure = conf.get(opt.REST_EXPOSED_TYPE)
    headless = exposure is ServiceExposure.HEADLESS
    spec: dict[str, Any] = {
        "type": "ClusterIP" if headless else exposure.value,
        "selector": jobmanager_labels(identity.name, kind),
        "ports": [
            {
                "name": "rest",
                "port": conf.get(opt.REST_PORT),
                "targetPort": checks.fixed_port(conf, opt.REST_BIND_PORT),
            }
        ],
    }
    if headless:
        spec["clusterIP"] = "None"
    annotations = conf.get(opt.REST_SERVICE_ANNOTATIONS)
    return _service(identity.rest_service, common_labels(identity.name, kind), annotations, spec)


def _service(
    name: str, labels: dict[str, str], annotations: Mapping[str, str], spec: dict[str, Any]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
