"""The table of flinkop's own metrics: name, type, labels, buckets, meaning.

Every name begins with `flinkop_`; durations are seconds, sizes bytes. The series in the reference's
naming (`flink_k8soperator_...`) are made where they are counted: `resources`, `lifecycle`,
`apiclient`, `process`.
"""

import enum
from typing import Final

from attrs import frozen


class Type(enum.Enum):
    """How a metric is read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@frozen
class Definition:
    """One metric.

    Attributes:
        name: As scraped; a counter's ends in `_total`.
        type: How it is read.
        meaning: The help text.
        labels: Names of its labels.
        buckets: Upper bounds of a histogram.
    """

    name: str
    type: Type
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


SHORT: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Work that should take milliseconds: requests, reconciles."""

LONG: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Waits that may grow under load: queues, lists."""

PAUSES: Final = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Times in which the event loop does nothing else."""


def _counter(name: str, meaning: str, *labels: str) -> Definition:
    return Definition(f"flinkop_{name}_total", Type.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Definition:
    return Definition(f"flinkop_{name}", Type.GAUGE, meaning, labels)


def _histogram(
    name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = SHORT
) -> Definition:
    return Definition(f"flinkop_{name}_seconds", Type.HISTOGRAM, meaning, labels, buckets)


BUILD_INFO: Final = _gauge(
    "build_info", "Always 1; the labels tell what runs.", "version", "python"
)

QUEUE_ADDS: Final = _counter(
    "workqueue_adds", "Requests that became ready, duplicates merged.", "queue", "lane"
)
QUEUE_RETRIES: Final = _counter(
    "workqueue_retries", "Requests that failed and wait longer.", "queue"
)
QUEUE_WAIT: Final = _histogram(
    "workqueue_wait", "Time from ready to taken by a worker.", "queue", "lane", buckets=LONG
)
QUEUE_WORK: Final = _histogram(
    "workqueue_work", "Time a worker held a request.", "queue", buckets=LONG
)
QUEUE_DEPTH: Final = _gauge("workqueue_depth", "Requests that are ready.", "queue", "lane")
QUEUE_DELAYED: Final = _gauge("workqueue_delayed", "Requests that wait for their time.", "queue")
QUEUE_PROCESSING: Final = _gauge("workqueue_processing", "Requests with a worker.", "queue")
QUEUE_FAILING: Final = _gauge("workqueue_failing", "Requests whose last run failed.", "queue")
QUEUE_LONGEST_WAIT: Final = _gauge(
    "workqueue_longest_wait_seconds", "Age of the request that has been ready longest.", "queue"
)
QUEUE_LONGEST_RUN: Final = _gauge(
    "workqueue_longest_run_seconds", "Age of the run that has been under way longest.", "queue"
)

RECONCILES: Final = _counter("reconciles", "Reconciles by how they ended.", "controller", "result")
RECONCILE_TIME: Final = _histogram("reconcile", "Time of a reconcile.", "controller", buckets=LONG)
RECONCILES_ACTIVE: Final = _gauge("reconciles_active", "Reconciles under way.", "controller")

INFORMER_OBJECTS: Final = _gauge("informer_objects", "Objects in the cache.", "resource")
INFORMER_STATE: Final = _gauge(
    "informer_state",
    "1 for the state in which a watch is, 0 for the states in which it was.",
    "resource",
    "namespace",
    "state",
)
INFORMER_RESTARTS: Final = _counter(
    "informer_watch_restarts", "Watches that ended and were begun anew.", "resource", "reason"
)
INFORMER_EVENTS: Final = _counter("informer_events", "Watch events.", "resource", "kind")
INFORMER_LIST_TIME: Final = _histogram(
    "informer_list", "Time of a complete initial list.", "resource", buckets=LONG
)
INFORMER_UNDECODABLE: Final = _counter(
    "informer_undecodable", "Objects that could not be read.", "resource"
)
INFORMER_HANDLER_FAILURES: Final = _counter(
    "informer_handler_failures", "Exceptions that an event handler let out.", "resource"
)

CLIENT_REQUESTS: Final = _counter(
    "client_requests",
    "Requests to the API server, each attempt; code is the HTTP status or `unreachable`.",
    "verb",
    "resource",
    "code",
)
CLIENT_TIME: Final = _histogram(
    "client_request",
    "Time to the end of an answer of the API server, of a watch to its headers.",
    "verb",
    "resource",
)
CLIENT_RETRIES: Final = _counter(
    "client_retries", "Requests tried again.", "verb", "resource", "reason"
)
CLIENT_IN_FLIGHT: Final = _gauge("client_in_flight", "Requests under way.", "pool")

FLINK_REQUESTS: Final = _counter(
    "flink_requests",
    "Requests to Flink's REST API, each attempt; code is the HTTP status, `unreachable`, `timeout` or `unusable`.",
    "method",
    "endpoint",
    "code",
)
FLINK_TIME: Final = _histogram(
    "flink_request", "Time to the end of an answer of Flink's REST API.", "method", "endpoint"
)

LEADER: Final = _gauge("leader", "1 while this process leads, 0 while it stands by.", "lease")
LEADER_RENEWAL: Final = _histogram("leader_renewal", "Time of a renewal of the lease.", "lease")
LEADER_RENEWAL_FAILURES: Final = _counter(
    "leader_renewal_failures", "Renewals of the lease that failed.", "lease"
)

LOOP_PAUSE: Final = _histogram(
    "event_loop_pause",
    "Longest pause of the event loop in each interval of its probe.",
    buckets=PAUSES,
)
LOOP_LONGEST_PAUSE: Final = _gauge(
    "event_loop_longest_pause_seconds", "Longest pause of the event loop since the start."
)
GC_PAUSE: Final = _histogram(
    "gc_pause", "Time of a run of the garbage collector.", "generation", buckets=PAUSES
)


def table() -> tuple[Definition, ...]:
    """Return every definition, in the order of this file."""
    return tuple(value for value in globals().values() if isinstance(value, Definition))
