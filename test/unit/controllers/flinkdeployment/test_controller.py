"""What the controller keeps between reconciles."""

from types import SimpleNamespace
from typing import Any

from fakes.deployments import NOW

from flinkop.controllers.flinkdeployment.controller import FlinkDeploymentReconciler
from flinkop.kube.meta import ObjectKey
from flinkop.lifecycle.exception_looks import Known, Look
from flinkop.lifecycle.job_exceptions import Memory
from flinkop.runtime.result import Request, Result
from flinkop.stages.cluster_options import PerResource


async def test_nothing_is_kept_of_a_resource_that_is_gone():
    """Also when somebody else took the finalizer off, so that its deletion was never seen."""
    key, forgotten = ObjectKey("ns", "basic"), []
    memories: dict[str, Any] = {name: PerResource() for name in ("options", "verdicts", "diffs")}
    for kept in memories.values():
        kept.get(key, "made from", lambda: "old")
    told = {key: Known(Look("job", 1, NOW), Memory("job", None))}
    other: Any = SimpleNamespace(forget=forgotten.append)
    resources: Any = SimpleNamespace(lister=SimpleNamespace(get=lambda _key: None))
    none: Any = None
    controller = FlinkDeploymentReconciler(
        resources=resources,
        observer=other,
        reconciler=none,
        writer=other,
        kube=none,
        recorder=none,
        settings=none,
        clock=none,
        exceptions=told,
        **memories,
    )
    assert await controller.reconcile(Request("ns", "basic")) == Result(gone=True)
    assert forgotten == [key, key]
    assert told == {}
    assert [kept.get(key, "made from", lambda: "new") for kept in memories.values()] == ["new"] * 3
