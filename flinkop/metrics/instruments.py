"""Fills the Protocols by which the lower rooms report: client, informers, queues, controllers, election.

Label sets are looked up once and kept, because prometheus_client takes a lock and builds a tuple each
time: reporting a request costs about a microsecond.
"""

from collections.abc import Callable
from functools import cache

from flinkop.metrics import names
from flinkop.metrics.apiclient import KubeClientSeries
from flinkop.metrics.reconciles import ReconcileTimes
from flinkop.metrics.registry import Registry
from flinkop.runtime.queue_core import QueueStatistics
from flinkop.runtime.result import Lane


class ClientMetrics:
    """`kube.instruments.ClientInstruments`.

    Args:
        registry: Where the metrics live.
        reference: Counts in the reference's naming too; None when those are switched off.
    """

    def __init__(self, registry: Registry, reference: KubeClientSeries | None = None) -> None:
        self._reference = reference
        self._requests = cache(registry.counter(names.CLIENT_REQUESTS).labels)
        self._time = cache(registry.histogram(names.CLIENT_TIME).labels)
        self._retries = cache(registry.counter(names.CLIENT_RETRIES).labels)
        self._in_flight = cache(registry.gauge(names.CLIENT_IN_FLIGHT).labels)

    def request(self, verb: str, resource: str, code: str, seconds: float) -> None:
        """Count one exchange."""
        self._requests(verb, resource, code).inc()
        self._time(verb, resource).observe(seconds)
        if self._reference is not None:
            self._reference.request(verb, code, seconds)

    def retry(self, verb: str, resource: str, reason: str) -> None:
        """Count a call that is tried again."""
        self._retries(verb, resource, reason).inc()

    def in_flight(self, pool: str, count: int) -> None:
        """Tell how many exchanges a pool has under way."""
        self._in_flight(pool).set(count)


class FlinkMetrics:
    """`flink.counted.FlinkInstruments`."""

    def __init__(self, registry: Registry) -> None:
        self._requests = cache(registry.counter(names.FLINK_REQUESTS).labels)
        self._time = cache(registry.histogram(names.FLINK_TIME).labels)

    def request(self, method: str, endpoint: str, code: str, seconds: float) -> None:
        """Count one request."""
        self._requests(method, endpoint, code).inc()
        self._time(method, endpoint).observe(seconds)


class InformerMetrics:
    """`runtime.instruments.InformerInstruments`."""

    def __init__(self, registry: Registry) -> None:
        self._objects = cache(registry.gauge(names.INFORMER_OBJECTS).labels)
        self._state = cache(registry.gauge(names.INFORMER_STATE).labels)
        self._restarts = cache(registry.counter(names.INFORMER_RESTARTS).labels)
        self._events = cache(registry.counter(names.INFORMER_EVENTS).labels)
        self._lists = cache(registry.histogram(names.INFORMER_LIST_TIME).labels)
        self._undecodable = cache(registry.counter(names.INFORMER_UNDECODABLE).labels)
        self._handler_failures = cache(registry.counter(names.INFORMER_HANDLER_FAILURES).labels)
        self._states: dict[tuple[str, str], str] = {}

    def listed(self, resource: str, seconds: float, objects: int) -> None:  # noqa: ARG002
        """Count a complete initial list; how many objects are kept comes by `objects`."""
        self._lists(resource).observe(seconds)

    def watch_restarted(self, resource: str, reason: str) -> None:
        """Count the end of a watch."""
        self._restarts(resource, reason).inc()

    def event(self, resource: str, kind: str) -> None:
        """Count a watch event."""
        self._events(resource, kind).inc()

    def undecodable(self, resource: str) -> None:
        """Count an object version that cannot be decoded."""
        self._undecodable(resource).inc()

    def handler_failed(self, resource: str) -> None:
        """Count an exception that a handler let out."""
        self._handler_failures(resource).inc()

    def objects(self, resource: str, count: int) -> None:
        """Tell how many objects are kept."""
        self._objects(resource).set(count)

    def state(self, resource: str, namespace: str, state: str) -> None:
        """Tell a part's state."""
        before = self._states.get((resource, namespace))
        if before is not None:
            self._state(resource, namespace, before).set(0)
        self._state(resource, namespace, state).set(1)
        self._states[resource, namespace] = state


class QueueMetrics:
    """Makes a `runtime.queue_instruments.QueueInstruments` for each queue, by `queue(name)`."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.adds = registry.counter(names.QUEUE_ADDS)
        self.retries = registry.counter(names.QUEUE_RETRIES)
        self.wait = registry.histogram(names.QUEUE_WAIT)
        self.work = registry.histogram(names.QUEUE_WORK)
        self._depth = registry.gauge(names.QUEUE_DEPTH)
        self._numbers = {
            field: registry.gauge(definition)
            for field, definition in (
                ("delayed", names.QUEUE_DELAYED),
                ("processing", names.QUEUE_PROCESSING),
                ("failing", names.QUEUE_FAILING),
                ("longest_wait", names.QUEUE_LONGEST_WAIT),
                ("longest_run", names.QUEUE_LONGEST_RUN),
            )
        }

    def queue(self, name: str) -> "OneQueueMetrics":
        """Return the instruments for the queue `name`."""
        return OneQueueMetrics(self, name)

    def watch(self, name: str, statistics: Callable[[], QueueStatistics]) -> None:
        """Read depth and ages of the queue `name` from `statistics` at each scrape."""
        depth = cache(self._depth.labels)
        numbers = [(field, gauge.labels(name)) for field, gauge in self._numbers.items()]

        def refresh() -> None:
            now = statistics()
            depth(name, "user").set(now.ready_user)
            depth(name, "resync").set(now.ready_resync)
            for field, gauge in numbers:
                gauge.set(getattr(now, field))

        self._registry.before_scrape(refresh)


class OneQueueMetrics:
    """`runtime.queue_instruments.QueueInstruments` of one queue."""

    def __init__(self, metrics: QueueMetrics, name: str) -> None:
        lanes: tuple[Lane, ...] = ("user", "resync")
        self._adds = {lane: metrics.adds.labels(name, lane) for lane in lanes}
        self._wait = {lane: metrics.wait.labels(name, lane) for lane in lanes}
        self._work = metrics.work.labels(name)
        self._retries = metrics.retries.labels(name)

    def added(self, lane: Lane) -> None:
        """Count a request that became ready."""
        self._adds[lane].inc()

    def waited(self, lane: Lane, seconds: float) -> None:
        """Observe the time from ready to taken."""
        self._wait[lane].observe(seconds)

    def worked(self, seconds: float) -> None:
        """Observe the time from taken to done."""
        self._work.observe(seconds)

    def retried(self) -> None:
        """Count a rate-limited retry."""
        self._retries.inc()


class ControllerMetrics:
    """`runtime.queue_instruments.ControllerInstruments`.

    Args:
        registry: Where the metrics live.
        reference: Takes times in the reference's naming too; None when those are switched off.
    """

    def __init__(self, registry: Registry, reference: ReconcileTimes | None = None) -> None:
        self._reference = reference
        self._results = cache(registry.counter(names.RECONCILES).labels)
        self._time = cache(registry.histogram(names.RECONCILE_TIME).labels)
        self._active = cache(registry.gauge(names.RECONCILES_ACTIVE).labels)

    def started(self, controller: str) -> None:
        """Note that a reconcile began."""
        self._active(controller).inc()

    def reconciled(self, controller: str, namespace: str, result: str, seconds: float) -> None:
        """Count the end of a reconcile."""
        if self._reference is not None:
            self._reference.reconciled(controller, namespace, result, seconds)
        self._active(controller).dec()
        self._results(controller, result).inc()
        self._time(controller).observe(seconds)


class ElectionMetrics:
    """`runtime.queue_instruments.ElectionInstruments`.

    Args:
        registry: Where the metrics live.
        lease: The Lease, as namespace/name; empty where there is no election.
    """

    def __init__(self, registry: Registry, lease: str = "") -> None:
        self._leader = registry.gauge(names.LEADER).labels(lease)
        self._renewal = registry.histogram(names.LEADER_RENEWAL).labels(lease)
        self._failures = registry.counter(names.LEADER_RENEWAL_FAILURES).labels(lease)

    def leading(self, leads: bool) -> None:  # noqa: FBT001 - the Protocol's shape
        """Tell whether this process leads."""
        self._leader.set(leads)

    def renewed(self, seconds: float) -> None:
        """Observe a successful renewal."""
        self._renewal.observe(seconds)

    def renewal_failed(self) -> None:
        """Count a failed renewal."""
        self._failures.inc()


class LoopMetrics:
    """`runtime.queue_instruments.LoopInstruments`."""

    def __init__(self, registry: Registry) -> None:
        self._pauses = registry.histogram(names.LOOP_PAUSE)
        self._longest = registry.gauge(names.LOOP_LONGEST_PAUSE)
        self._collections = cache(registry.histogram(names.GC_PAUSE).labels)
        self.longest = 0.0

    def paused(self, seconds: float) -> None:
        """Observe by how much the event loop was late."""
        self._pauses.observe(seconds)
        if seconds > self.longest:
            self.longest = seconds
            self._longest.set(seconds)

    def collected(self, generation: int, seconds: float) -> None:
        """Observe a run of the garbage collector."""
        self._collections(generation).observe(seconds)
