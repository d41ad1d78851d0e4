"""Brings the CRDs of a cluster up to date, whoever installed them."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from flinkop.kube.errors import NotFound
from flinkop.kube.meta import CRDS, ObjectKey, ResourceType

_DEADLINE: Final = 60.0
"""Seconds for one CRD: the large ones cost the API server seconds."""


class CrdClient(Protocol):
    """The part of `kube.client.KubeClient` that is used here."""

    async def get(self, rt: ResourceType, key: ObjectKey, /) -> dict[str, Any]:
        """Return the object, or raise NotFound."""
        ...

    async def apply(
        self, rt: ResourceType, key: ObjectKey, body: Any, /, *, dry_run: bool, deadline: float
    ) -> dict[str, Any]:
        """Write the fields of `body` and return the object as stored."""
        ...


async def apply(
    kube: CrdClient,
    documents: Iterable[dict[str, Any]],
    say: Callable[[str], None],
    *,
    dry_run: bool = False,
) -> None:
    """Apply each CRD; `say` gets a sentence for each: created, changed or unchanged.

    Fields that somebody else set are taken over where they differ and left where the CRD here says nothing
    of them, so labels and annotations of Helm stay. Nothing is ever deleted.

    Raises:
        ApiError: a CRD cannot be read or written; those before it are done.
    """
    for document in documents:
        key = ObjectKey("", document["metadata"]["name"])
        try:
            before = await kube.get(CRDS, key)
        except NotFound:
            before = None
        after = await kube.apply(CRDS, key, document, dry_run=dry_run, deadline=_DEADLINE)
        say(f"{key.name}: {_word(before, after)}{' (dry run)' if dry_run else ''}")


def _word(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    if before is None:
        return "created"
    return "unchanged" if before["spec"] == after["spec"] else "changed"
