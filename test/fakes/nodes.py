"""ZooKeeper's nodes on a set of paths, for what works on them."""

from collections.abc import Iterable


class FakeNodes:
    """The two calls of a session; `paths` are all nodes there are, but for the root."""

    def __init__(self, *paths: str) -> None:
        self.paths = {above for path in paths for above in lineage(path)}

    def children(self, path: str) -> tuple[str, ...] | None:
        """Names of the nodes below."""
        if path not in self.paths:
            return None
        return tuple(sorted(self._below(path)))

    def delete(self, path: str) -> bool:
        """Take one away, if it is a leaf."""
        if any(self._below(path)):
            return False
        self.paths.discard(path)
        return True

    def _below(self, path: str) -> Iterable[str]:
        return (one.rpartition("/")[2] for one in self.paths if one.rpartition("/")[0] == path)


def lineage(path: str) -> list[str]:
    """A path and all above it."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
