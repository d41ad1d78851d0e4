"""The operator's options about metrics, each once (`operations.md` 1.9)."""

from flinkop.config.option import Option, Scope, Section
from flinkop.config.options import PREFIX as _K

_STATIC = Section(Scope.STATIC)
_SCOPE = _K + "metrics.scope.k8soperator"

JVM_METRICS_ENABLED = _STATIC.boolean(
    _K + "jvm.metrics.enabled", True, "Metrics of the operator process."
)
JOSDK_METRICS_ENABLED = _STATIC.boolean(
    _K + "josdk.metrics.enabled", True, "Metrics of reconciles."
)
CLIENT_METRICS_ENABLED = _STATIC.boolean(
    _K + "kubernetes.client.metrics.enabled", True, "Metrics of calls to the API server."
)
CLIENT_CODE_GROUPS_ENABLED = _STATIC.boolean(
    _K + "kubernetes.client.metrics.http.response.code.groups.enabled",
    False,
    "Count answers of the API server by groups of codes too.",
)
CLIENT_SLOW_THRESHOLD = _STATIC.duration(
    _K + "kubernetes.client.metrics.slow.request.threshold",
    "5 s",
    "From which latency on a call to the API server counts as slow.",
)
RESOURCE_METRICS_ENABLED = _STATIC.boolean(
    _K + "resource.metrics.enabled",
    True,
    "Metrics of resources; also needed for lifecycle metrics.",
)
LIFECYCLE_METRICS_ENABLED = _STATIC.boolean(
    _K + "resource.lifecycle.metrics.enabled", True, "Metrics of lifecycle states."
)
LIFECYCLE_NAMESPACE_HISTOGRAMS_ENABLED = _STATIC.boolean(
    _K + "resource.lifecycle.namespace.histograms.enabled",
    True,
    "Lifecycle histograms per namespace.",
)
HISTOGRAM_SAMPLE_SIZE = _STATIC.integer(
    _K + "metrics.histogram.sample.size", 1000, "Window of histograms, in samples."
)
SCOPE_SYSTEM = _STATIC.text(
    _SCOPE + ".system",
    "<host>.k8soperator.<namespace>.<name>.system",
    "Scope of metrics of the process.",
    _SCOPE,
)
SCOPE_NAMESPACE = _STATIC.text(
    _SCOPE + ".resourcens",
    "<host>.k8soperator.<namespace>.<name>.namespace.<resourcens>.<resourcetype>",
    "Scope of metrics of a namespace.",
    "metrics.scope.k8soperator.resourcens",
)
SCOPE_RESOURCE = _STATIC.text(
    _SCOPE + ".resource",
    "<host>.k8soperator.<namespace>.<name>.resource.<resourcens>.<resourcename>.<resourcetype>",
    "Scope of metrics of a resource.",
    "metrics.scope.k8soperator.resource",
)


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order."""
    return tuple(value for value in globals().values() if isinstance(value, Option))
