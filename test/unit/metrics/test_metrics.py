"""What the parts of the operator report can be scraped."""

import re

import pytest
from fakes.scrape import Scrape

from flinkop.kube.instruments import ClientInstruments
from flinkop.metrics import names
from flinkop.metrics.metrics import Metrics, MetricSettings
from flinkop.metrics.scope import Variables
from flinkop.runtime import queue_instruments
from flinkop.runtime.instruments import InformerInstruments
from flinkop.runtime.queue_core import QueueStatistics


@pytest.fixture
def metrics(clock):
    return Metrics(clock, Variables(), lease="ns/flinkop")


@pytest.fixture
def scraped(metrics):
    return lambda: Scrape(metrics.text())


def test_protocols(metrics):
    """The attributes fit where they are handed in (checked by the type checker)."""
    client: ClientInstruments = metrics.client
    informers: InformerInstruments = metrics.informers
    queue: queue_instruments.QueueInstruments = metrics.queues.queue("q")
    controller: queue_instruments.ControllerInstruments = metrics.controllers
    election: queue_instruments.ElectionInstruments = metrics.election
    loop: queue_instruments.LoopInstruments = metrics.loop
    assert all((client, informers, queue, controller, election, loop))


def test_table():
    """Every name is unique, begins with flinkop_ and says its unit."""
    table = names.table()
    assert len({definition.name for definition in table}) == len(table) > 25
    for definition in table:
        assert re.fullmatch(r"flinkop_[a-z_]+", definition.name)
        assert definition.name.endswith("_total") == (definition.type is names.Type.COUNTER)
        assert bool(definition.buckets) == (definition.type is names.Type.HISTOGRAM)
        assert definition.meaning.endswith(".")


def test_everything_in_the_table_is_scraped(scraped):
    """A definition without a metric would be a promise not kept."""
    text = scraped().text
    assert [d.name for d in names.table() if f"# TYPE {d.name} " not in text] == []
    assert "_created" not in text


def test_flink(metrics, scraped):
    """Requests to Flink and their time."""
    metrics.flink.request("GET", "/jobs/overview", "200", 0.25)
    metrics.flink.request("GET", "/jobs/overview", "timeout", 10.0)
    found, overview = scraped(), {"method": "GET", "endpoint": "/jobs/overview"}
    assert found.value("flinkop_flink_requests_total", code="200", **overview) == 1
    assert found.value("flinkop_flink_requests_total", code="timeout", **overview) == 1
    assert found.value("flinkop_flink_request_seconds_sum", **overview) == 10.25


def test_client(metrics, scraped):
    """Requests, latencies, retries and what is under way; also in the reference's naming."""
    metrics.client.request("patch", "flinkdeployments/status", "200", 0.02)
    metrics.client.request("get", "pods", "404", 6.0)
    metrics.client.request("get", "pods", "unreachable", 0.1)
    metrics.client.retry("get", "pods", "throttled")
    metrics.client.in_flight("requests", 3)
    found = scraped()
    patch = {"verb": "patch", "resource": "flinkdeployments/status"}
    assert found.value("flinkop_client_requests_total", code="200", **patch) == 1
    assert found.value("flinkop_client_request_seconds_sum", **patch) == 0.02
    assert found.value("flinkop_client_retries_total", reason="throttled") == 1
    assert found.value("flinkop_client_in_flight", pool="requests") == 3
    reference = found.values("flink_k8soperator_KubeClient_")
    assert reference["HttpRequest_Count"] == 3
    assert reference["HttpRequest_GET_Count"] == 2
    assert reference["HttpRequest_PATCH_Count"] == 1
    assert reference["HttpRequest_Failed_Count"] == 2
    assert reference["HttpRequest_Slow_Count"] == 1
    assert reference["HttpResponse_Count"] == 2
    assert reference["HttpResponse_404_Count"] == 1
    assert reference["HttpResponse_TimeNanos_count"] == 3
    assert not any("xx" in name for name in reference)


def test_rate(metrics, scraped, clock):
    """The reference's meters tell requests per second over the last minute."""
    for _ in range(6):
        metrics.client.request("list", "pods", "200", 0.01)
    clock.advance(5)
    assert scraped().value("flink_k8soperator_KubeClient_HttpRequest_NumPerSecond") == 0.1


def test_code_groups(clock):
    """Groups of codes are there from the start when asked for."""
    metrics = Metrics(clock, settings=MetricSettings(client_code_groups=True))
    metrics.client.request("get", "pods", "404", 0.1)
    metrics.client.request("proxy", "services", "200", 0.1)
    reference = Scrape(metrics.text()).values("flink_k8soperator_KubeClient_HttpResponse_")
    groups = {name: v for name, v in reference.items() if re.match(r"\dxx_Count", name)}
    assert groups == {
        "1xx_Count": 0,
        "2xx_Count": 1,
        "3xx_Count": 0,
        "4xx_Count": 1,
        "5xx_Count": 0,
    }


def test_switches(clock):
    """What is switched off is not there; our own metrics stay."""
    settings = MetricSettings(resources=False, client=False, process=False)
    metrics = Metrics(clock, settings=settings)
    metrics.client.request("get", "pods", "200", 0.1)
    text = metrics.text().decode()
    assert metrics.resources is None
    assert "flink_k8soperator" not in text
    assert "flinkop_client_requests_total" in text
    without_lifecycle = Metrics(clock, settings=MetricSettings(lifecycle=False))
    assert without_lifecycle.resources is not None


def test_informers(metrics, scraped):
    """Lists, restarts, events, objects, and the one state that holds."""
    informers = metrics.informers
    informers.listed("pods", 0.5, 7)
    informers.objects("pods", 6)
    informers.watch_restarted("pods", "silent")
    informers.event("pods", "ADDED")
    informers.undecodable("pods")
    informers.handler_failed("pods")
    informers.state("pods", "ns", "listing")
    informers.state("pods", "ns", "watching")
    found = scraped()
    assert found.value("flinkop_informer_objects", resource="pods") == 6
    assert found.value("flinkop_informer_watch_restarts_total", reason="silent") == 1
    assert found.value("flinkop_informer_events_total", kind="ADDED") == 1
    assert found.value("flinkop_informer_undecodable_total") == 1
    assert found.value("flinkop_informer_handler_failures_total") == 1
    assert found.value("flinkop_informer_list_seconds_count") == 1
    assert found.value("flinkop_informer_state", state="listing") == 0
    assert found.value("flinkop_informer_state", state="watching") == 1


def test_queues(metrics, scraped):
    """Adds, waits and retries are told; depth and ages are read at each scrape."""
    queue = metrics.queues.queue("flinkdeployments")
    queue.added("user")
    queue.waited("user", 0.2)
    queue.worked(0.3)
    queue.retried()
    depths = iter([5, 4])
    metrics.queues.watch(
        "flinkdeployments", lambda: QueueStatistics(next(depths), 1, 2, 3, 4, 5.5, 6.5)
    )
    found = scraped()
    assert found.value("flinkop_workqueue_adds_total", lane="user") == 1
    assert found.value("flinkop_workqueue_wait_seconds_sum", lane="user") == 0.2
    assert found.value("flinkop_workqueue_work_seconds_sum") == 0.3
    assert found.value("flinkop_workqueue_retries_total") == 1
    assert found.value("flinkop_workqueue_depth", lane="user") == 5
    assert found.value("flinkop_workqueue_depth", lane="resync") == 1
    assert found.value("flinkop_workqueue_longest_run_seconds") == 6.5
    assert scraped().value("flinkop_workqueue_depth", lane="user") == 4


def test_controllers(metrics, scraped):
    """Reconciles by how they ended, and those under way."""
    metrics.controllers.started("flinkdeployments")
    metrics.controllers.started("flinkdeployments")
    metrics.controllers.reconciled("flinkdeployments", "ns", "success", 0.25)
    found = scraped()
    assert found.value("flinkop_reconciles_active") == 1
    assert found.value("flinkop_reconciles_total", result="success") == 1
    assert found.value("flinkop_reconcile_seconds_bucket", le="0.5") == 1


def test_election_and_loop(metrics, scraped):
    """Who leads, how renewals go, how long the loop was deaf."""
    assert scraped().value("flinkop_leader", lease="ns/flinkop") == 0
    metrics.election.leading(True)
    metrics.election.renewed(0.01)
    metrics.election.renewal_failed()
    for pause in (0.002, 0.04, 0.003):
        metrics.loop.paused(pause)
    metrics.loop.collected(2, 0.004)
    found = scraped()
    assert found.value("flinkop_leader") == 1
    assert found.value("flinkop_leader_renewal_seconds_count") == 1
    assert found.value("flinkop_leader_renewal_failures_total") == 1
    assert found.value("flinkop_event_loop_longest_pause_seconds") == 0.04
    assert found.value("flinkop_event_loop_pause_seconds_count") == 3
    assert found.value("flinkop_gc_pause_seconds_count", generation="2") == 1


async def test_process(metrics, clock):
    """Memory and CPU of the process, in our naming and in the reference's; written in a thread."""
    clock.advance(1)
    found = Scrape(await metrics.scrape())
    assert found.value("flinkop_process_resident_memory_bytes") > 1_000_000
    assert found.value("flinkop_process_cpu_seconds_total") > 0
    assert found.value("flink_k8soperator_Status_JVM_Memory_Heap_Used") > 1_000_000
    assert 0 <= found.value("flink_k8soperator_Status_JVM_CPU_Load") <= 1
    assert found.value("flinkop_build_info") == 1


def test_times_of_reconciles_in_the_references_naming(metrics, scraped):
    """By namespace, apart by success; what is cut off counts for neither, other controllers for nothing."""
    for result, seconds in (("success", 0.25), ("requeue_after", 0.5), ("retry", 1.0)):
        metrics.controllers.reconciled("flinkdeployment", "ns", result, seconds)
    metrics.controllers.reconciled("flinkdeployment", "ns", "cancelled", 9.0)
    metrics.controllers.reconciled("other", "ns", "success", 9.0)
    name, labels = "flink_k8soperator_namespace_JOSDK_reconcile", {"resourcens": "ns"}
    found = scraped()
    assert found.value(f"{name}_resource_TimeSeconds_count", **labels) == 2
    assert found.value(f"{name}_resource_TimeSeconds", quantile="0.99", **labels) == 0.5
    assert found.value(f"{name}_failed_TimeSeconds_count", **labels) == 1
    assert found.value(f"{name}_failed_TimeSeconds_count", resourcetype="FlinkDeployment") == 1


def test_times_of_reconciles_can_be_switched_off(clock):
    """`josdk.metrics.enabled: false`."""
    metrics = Metrics(clock, settings=MetricSettings(reconciles=False))
    metrics.controllers.reconciled("flinkdeployment", "ns", "success", 0.25)
    assert "JOSDK" not in metrics.text().decode()
