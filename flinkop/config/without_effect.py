"""Options of the reference that are accepted and change nothing, each with what holds instead.

A user who sets one is told: by `flinkop config check`, in the log at the start, and on the options' page.
"""

from collections.abc import Mapping
from typing import Final

from flinkop.config import autoscaler_options, bluegreen_options, metric_options, options
from flinkop.config.option import Option

_AUTOSCALER: Final = "jobs are not scaled yet"
_NO_CACHE: Final = "there is no such cache"
_FORMATS: Final = "there is no reporter that names series by scope"

REASONS: Final[Mapping[str, str]] = {
    options.RESOURCE_CLEANUP_TIMEOUT.key: (
        "the end of a cluster's deletion is waited for as long as it takes"
    ),
    options.STACKTRACE_ENABLED.key: "errors are told by their messages and causes",
    options.STACKTRACE_MAX_LENGTH.key: "errors are told by their messages and causes",
    options.CANARY_TIMEOUT.key: "/healthz does not look at canary resources",
    options.STOP_ON_INFORMER_ERROR.key: "a missing CRD or right never ends the start",
    options.CONFIG_CACHE_TIMEOUT.key: _NO_CACHE,
    options.CONFIG_CACHE_SIZE.key: _NO_CACHE,
    options.CLUSTER_VIEW_INTERVAL.key: _AUTOSCALER,
    metric_options.SCOPE_SYSTEM.key: _FORMATS,
    metric_options.SCOPE_NAMESPACE.key: _FORMATS,
    metric_options.SCOPE_RESOURCE.key: _FORMATS,
    **{one.key: _AUTOSCALER for one in autoscaler_options.all_options()},
    **{one.key: "the kind is not there yet" for one in bluegreen_options.all_options()},
}


def reason(option: Option[object]) -> str | None:
    """Return why setting an option changes nothing, as half a sentence; None when it does."""
    return REASONS.get(option.key)
