"""An API server for Events only, which remembers every call and can be told to fail."""

from typing import Any

from fakes.objectapi import apply_merge_patch

from flinkop.kube import errors, meta


class FakeEvents:
    """The three calls of the recorder, on a dictionary.

    `failing` holds errors to raise, first in first out, one per call; `calls` holds verb and name.
    """

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.failing: list[Exception | None] = []

    def _call(self, verb: str, name: str) -> None:
        self.calls.append((verb, name))
        error = self.failing.pop(0) if self.failing else None
        if error is not None:
            raise error

    async def create(self, rt: meta.ResourceType, namespace: str, body: Any) -> Any:
        """Create, or refuse what is there."""
        name = body["metadata"]["name"]
        self._call("create", name)
        if name in self.stored:
            raise errors.AlreadyExists(name, status=409)
        self.stored[name] = dict(body)
        return body

    async def get(self, rt: meta.ResourceType, key: meta.ObjectKey) -> Any:
        """Read."""
        self._call("get", key.name)
        if key.name not in self.stored:
            raise errors.NotFound(key.name, status=404)
        return self.stored[key.name]

    async def merge_patch(self, rt: meta.ResourceType, key: meta.ObjectKey, patch: Any) -> Any:
        """Change what is there."""
        self._call("patch", key.name)
        if key.name not in self.stored:
            raise errors.NotFound(key.name, status=404)
        self.stored[key.name] = apply_merge_patch(self.stored[key.name], patch)
        return self.stored[key.name]
