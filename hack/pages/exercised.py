"""The metrics of an operator that has seen one of everything, to list or look up what there is."""

import datetime as dt

from flinkop.api.flinkstatesnapshot import SnapshotState
from flinkop.api.status import FlinkDeploymentStatus, LifecycleState
from flinkop.clock import SystemClock
from flinkop.kube.meta import ObjectKey
from flinkop.metrics.metrics import Metrics, MetricSettings
from flinkop.runtime.queue_core import QueueStatistics

_KEY = ObjectKey("ns", "name")


def metrics() -> Metrics:
    """Return the metrics of an operator with one resource of each kind."""
    clock = SystemClock()
    made = Metrics(clock, settings=MetricSettings(client_code_groups=True), lease="ns/lease")
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    if made.resources is None:
        raise AssertionError
    made.resources.flinkdeployment(_KEY, FlinkDeploymentStatus(), LifecycleState.CREATED, now)
    made.resources.flinksessionjob(_KEY, LifecycleState.CREATED, now)
    made.resources.flinkstatesnapshot(_KEY, SnapshotState.COMPLETED, checkpoint=True)
    for verb in ("get", "create", "replace", "patch", "delete"):
        made.client.request(verb, "pods", "200", 0.1)
    made.client.retry("get", "pods", "throttled")
    made.client.in_flight("requests", 0)
    made.flink.request("GET", "/jobs/overview", "200", 0.1)
    made.controllers.started("flinkdeployment")
    made.controllers.reconciled("flinkdeployment", "ns", "success", 0.1)
    made.controllers.reconciled("flinkdeployment", "ns", "error", 0.1)
    made.informers.state("pods", "", "synced")
    made.informers.undecodable("pods")
    made.informers.watch_restarted("pods", "ended")
    made.informers.objects("pods", 1)
    made.queues.queue("flinkdeployment").retried()
    made.queues.watch("flinkdeployment", lambda: QueueStatistics(0, 0, 0, 0, 0, 0.0, 0.0))
    return made
