"""Times of reconciles per namespace, in the reference's naming (operations.md 2.5).

The reference also counts them per resource, which makes series without bound; `flinkop_reconciles_total`
tells how they end. Times keep their fractions here: most reconciles take milliseconds.
"""

from typing import Final

from flinkop.metrics.resources import FLINKDEPLOYMENT, FLINKSESSIONJOB, FLINKSTATESNAPSHOT
from flinkop.metrics.scope import Scope
from flinkop.metrics.series import SeriesRegistry

_KINDS: Final = {
    kind.lower(): kind for kind in (FLINKDEPLOYMENT, FLINKSESSIONJOB, FLINKSTATESNAPSHOT)
}
_OUTCOMES: Final = {
    "success": "resource",
    "requeue": "resource",
    "requeue_after": "resource",
    "terminal": "resource",
    "error": "failed",
    "retry": "failed",
    "timeout": "failed",
}
"""What the reference calls an end; one that is cut off is none."""


class ReconcileTimes:
    """Told about the end of each reconcile.

    Args:
        registry: Where the series live.
        sample_size: Window of each histogram, in values.
    """

    def __init__(self, registry: SeriesRegistry, *, sample_size: int = 1000) -> None:
        self._registry = registry
        self._size = sample_size

    def reconciled(self, controller: str, namespace: str, result: str, seconds: float) -> None:
        """Note how long it took; `controller` is a kind in lower case."""
        kind, outcome = _KINDS.get(controller), _OUTCOMES.get(result)
        if kind is None or outcome is None:
            return
        labels = {"resourcens": namespace, "resourcetype": kind}
        path = f"JOSDK.reconcile.{outcome}.TimeSeconds"
        self._registry.histogram(Scope.NAMESPACE, path, labels, size=self._size).update(seconds)
