"""An API server with one custom object: optimistic locking, merge patches, and others who write too."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec

from flinkop.kube import errors, meta
from flinkop.kube.objects import CustomObject

KEY = meta.ObjectKey("ns", "basic")


def apply_merge_patch(target: Any, patch: Any) -> Any:
    """Apply a merge patch as RFC 7386 defines it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge_patch(result.get(key), value)
    return result


class ObjectApi:
    """One FlinkDeployment; `meanwhile` holds what others do right before each of our writes."""

    def __init__(self, status: dict[str, Any] | None = None, finalizers: tuple[str, ...] = ()):
        self.document: dict[str, Any] = {
            "metadata": {
                "name": KEY.name,
                "namespace": KEY.namespace,
                "uid": "uid-1",
                "resourceVersion": "1",
                "finalizers": list(finalizers),
            },
            "spec": {},
        }
        if status is not None:
            self.document["status"] = status
        self.meanwhile: list[Callable[[ObjectApi], None]] = []
        self.patches: list[dict[str, Any]] = []
        self.reads = 0
        self.gone = False

    def object(self) -> CustomObject:
        """Return the object as it is now."""
        return msgspec.json.decode(msgspec.json.encode(self.document), type=CustomObject)

    @property
    def status(self) -> dict[str, Any]:
        """The stored status."""
        found = self.document.get("status", {})
        assert isinstance(found, dict)
        return found

    def touch(self, **changes: Any) -> None:
        """Change top-level members as somebody else, which gives the object a new version."""
        self.document.update(copy.deepcopy(changes))
        version = int(self.document["metadata"]["resourceVersion"]) + 1
        self.document["metadata"]["resourceVersion"] = str(version)

    async def get(self, rt: meta.ResourceType, key: meta.ObjectKey, *, into: Any) -> CustomObject:
        """Read the object."""
        self.reads += 1
        if self.gone:
            raise errors.NotFound(str(key), status=404)
        return self.object()

    async def merge_patch(
        self,
        rt: meta.ResourceType,
        key: meta.ObjectKey,
        patch: Any,
        *,
        subresource: str | None = None,
        into: Any = None,
    ) -> CustomObject:
        """Patch status or metadata, if nobody wrote in between."""
        if self.meanwhile:
            self.meanwhile.pop(0)(self)
        if self.gone:
            raise errors.NotFound(str(key), status=404)
        self.patches.append(patch)
        if patch["metadata"]["resourceVersion"] != self.document["metadata"]["resourceVersion"]:
            raise errors.Conflict("the object has been modified", status=409)
        part = "status" if subresource == "status" else "metadata"
        changed = {k: v for k, v in patch.get(part, {}).items() if k != "resourceVersion"}
        self.touch(**{part: apply_merge_patch(self.document.get(part, {}), changed)})
        return self.object()
