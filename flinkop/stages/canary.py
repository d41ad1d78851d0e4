"""Canary resources: left alone, so that they can show whether watches deliver (operations.md)."""

from typing import Final

from flinkop.kube.objects import CustomObject

LABEL: Final = "flink.apache.org/canary"


def is_one(obj: CustomObject) -> bool:
    """Return whether a resource is a canary, which is not judged and not deployed."""
    return obj.metadata.labels.get(LABEL, "").lower() == "true"
