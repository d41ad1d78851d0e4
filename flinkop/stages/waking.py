"""Which changes of a resource are worth a reconcile of it, whatever its kind (behaviour.md 1.2, L-3).

Asked for every watch event: a few fields are compared.
"""

from collections.abc import Callable, Iterator

from flinkop.kube import meta
from flinkop.kube.objects import CustomObject
from flinkop.lifecycle import snapshot_objects
from flinkop.runtime.result import Lane, Request
from flinkop.stages import references

Enqueue = Callable[[Request, Lane], None]


def wake(enqueue: Enqueue, old: CustomObject | None, new: CustomObject | None) -> None:
    """Put a resource into the queue for its spec, its deletion, or its coming into view.

    Status writes and label changes do not count. What the first list brings queues behind what a
    user does meanwhile, unless it was never acted on.
    """
    if new is None:
        if old is not None:
            enqueue(request(old.metadata), "resync")
        return
    if old is None or old.metadata.uid != new.metadata.uid:
        enqueue(request(new.metadata), "resync" if memoryview(new.status) else "user")
        return
    changed = old.metadata.generation != new.metadata.generation
    deleted = (
        old.metadata.deletion_timestamp is None and new.metadata.deletion_timestamp is not None
    )
    if changed or deleted:
        enqueue(request(new.metadata), "user")


def jobs_with_one_more(
    kind: str, old: CustomObject | None, new: CustomObject | None
) -> Iterator[Request]:
    """Yield the resources of `kind` whose FlinkStateSnapshot is now complete: it may be one too many."""
    if new is None or not snapshot_objects.is_completed(new.metadata.labels):
        return
    if old is not None and snapshot_objects.is_completed(old.metadata.labels):
        return
    for value in references.job_of_snapshot(new):
        found, namespace, name = value.split("/", 2)
        if found == kind:
            yield Request(namespace, name)


def request(metadata: meta.Meta) -> Request:
    """Return the request for a resource itself."""
    return Request(metadata.namespace, metadata.name)
