"""All CRDs as objects, complete, without a cluster or a checkout."""

from importlib import resources
from typing import Any, Final

import msgspec

from flinkop.api import crd, schema

POD_SCHEMA: Final = "pod-schema.json"
"""The Pod part of Kubernetes' OpenAPI; hack/update_pod_schema.py refreshes it."""


def made() -> tuple[dict[str, Any], ...]:
    """Make the CRD of each kind, in the order in which they are listed."""
    text = (resources.files("flinkop.crds") / POD_SCHEMA).read_bytes()
    pod = schema.of_pod(msgspec.json.decode(text))
    return tuple(crd.document(kind, pod) for kind in crd.KINDS)
