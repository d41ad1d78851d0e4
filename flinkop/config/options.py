"""The operator's own options, each once (`operations.md` 1.8, deprecated keys 1.10).

Read them by `conf.get(options.RECONCILE_INTERVAL)`. Metric options are in `metric_options`, what the
operator reads of Flink's in `flink_options`.
"""

import enum

from flinkop.config.option import Option, Scope, Section

PREFIX = "kubernetes.operator."
AUTOSCALER_PREFIX = "job.autoscaler."
NAMESPACE_DEFAULTS = PREFIX + "default-configuration.namespace."
VERSION_DEFAULTS = PREFIX + "default-configuration.flink-version."
ALL_NAMESPACES = "JOSDK_ALL_NAMESPACES"
CURRENT_NAMESPACE = "JOSDK_WATCH_CURRENT"

_K = PREFIX
_STATIC = Section(Scope.STATIC)
_DYNAMIC = Section(Scope.DYNAMIC)
_NAMESPACE = Section(Scope.NAMESPACE)
_RESOURCE = Section(Scope.RESOURCE)


class SavepointFormat(enum.StrEnum):
    """Binary format of a savepoint."""

    CANONICAL = "CANONICAL"
    NATIVE = "NATIVE"


class CheckpointType(enum.StrEnum):
    """Kind of a checkpoint that the operator triggers."""

    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"
    UNKNOWN = "UNKNOWN"


class DeletionPropagation(enum.StrEnum):
    """What the API server does with dependants of a deleted object, and when."""

    ORPHAN = "Orphan"
    BACKGROUND = "Background"
    FOREGROUND = "Foreground"


# Timing of reconciles
RECONCILE_INTERVAL = _NAMESPACE.duration(
    _K + "reconcile.interval",
    "60 s",
    "How long after a reconcile the next one comes when nothing else happens.",
    _K + "reconciler.reschedule.interval",
)
RECONCILE_PARALLELISM = _STATIC.integer(
    _K + "reconcile.parallelism",
    50,
    "How many resources are reconciled at the same time; -1 sets no bound.",
    _K + "reconciler.max.parallelism",
)
REST_READY_DELAY = _NAMESPACE.duration(
    _K + "observer.rest-ready.delay",
    "10 s",
    "Upper bound of the wait between looks at a JobManager that runs but does not answer yet.",
)
PROGRESS_CHECK_INTERVAL = _NAMESPACE.duration(
    _K + "observer.progress-check.interval",
    "10 s",
    "Upper bound of the wait between looks at a deployment, cancellation or snapshot under way.",
)
SAVEPOINT_GRACE_PERIOD = _RESOURCE.duration(
    _K + "savepoint.trigger.grace-period",
    "1 min",
    "How long a savepoint trigger may stay without a trace before it counts as failed.",
    _K + "observer.savepoint.trigger.grace-period",
)
CHECKPOINT_GRACE_PERIOD = _RESOURCE.duration(
    _K + "checkpoint.trigger.grace-period",
    "1 min",
    "How long a checkpoint trigger may stay without a trace before it counts as failed.",
)
FLINK_CLIENT_TIMEOUT = _NAMESPACE.duration(
    _K + "flink.client.timeout",
    "10 s",
    "Timeout of one call to Flink's REST API.",
    _K + "observer.flink.client.timeout",
)
FLINK_CANCEL_TIMEOUT = _NAMESPACE.duration(
    _K + "flink.client.cancel.timeout",
    "1 min",
    "How long to wait for a job to be cancelled or stopped.",
    _K + "reconciler.flink.cancel.job.timeout",
)
RESOURCE_CLEANUP_TIMEOUT = _NAMESPACE.duration(
    _K + "resource.cleanup.timeout",
    "5 min",
    "How long to wait for a cluster's objects to go when it is deleted.",
    _K + "reconciler.flink.cluster.shutdown.timeout",
)
JOB_SUBMISSION_TIMEOUT = _NAMESPACE.duration(
    _K + "job.submission.timeout",
    "10 min",
    "How long the submission of a session job may take.",
)

# Upgrades
ROLLBACK_ENABLED = _RESOURCE.boolean(
    _K + "deployment.rollback.enabled",
    False,
    "Return to the last stable spec when an upgrade does not become stable. Needs high availability.",
)
READINESS_TIMEOUT = _RESOURCE.duration(
    _K + "deployment.readiness.timeout",
    "5 min",
    "How long an upgrade may take to become stable before it is rolled back.",
)
IGNORE_PENDING_SAVEPOINT = _RESOURCE.boolean(
    _K + "job.upgrade.ignore-pending-savepoint",
    False,
    "Start an upgrade although a savepoint is still being taken.",
)
INPLACE_SCALING_ENABLED = _RESOURCE.boolean(
    _K + "job.upgrade.inplace-scaling.enabled",
    True,
    "Change the parallelism of a running job through Flink's REST API (1.18 and later).",
)
LAST_STATE_FALLBACK_ENABLED = _RESOURCE.boolean(
    _K + "job.upgrade.last-state-fallback.enabled",
    True,
    "Upgrade from high-availability metadata when no savepoint can be taken.",
)
LAST_STATE_MAX_CHECKPOINT_AGE = _RESOURCE.optional_duration(
    _K + "job.upgrade.last-state.max.allowed.checkpoint.age",
    "Take a savepoint instead when the last checkpoint is older.",
)
LAST_STATE_CANCEL_ENABLED = _RESOURCE.boolean(
    _K + "job.upgrade.last-state.job-cancel.enabled",
    False,
    "Cancel the job in last-state upgrades instead of deleting its cluster.",
)
RESTART_FAILED_JOBS = _RESOURCE.boolean(
    _K + "job.restart.failed", False, "Restart jobs that have failed for good."
)
SAVEPOINT_ON_DELETION = _RESOURCE.boolean(
    _K + "job.savepoint-on-deletion", False, "Take a savepoint when the resource is deleted."
)
DRAIN_ON_SAVEPOINT_DELETION = _RESOURCE.boolean(
    _K + "job.drain-on-savepoint-deletion", False, "Drain the job when it is stopped by savepoint."
)
JM_RECOVERY_ENABLED = _RESOURCE.boolean(
    _K + "jm-deployment-recovery.enabled",
    True,
    "Create a missing JobManager Deployment again.",
    _K + "reconciler.jm-deployment-recovery.enabled",
)
JM_SHUTDOWN_TTL = _RESOURCE.duration(
    _K + "jm-deployment.shutdown-ttl",
    "1 d",
    "How long the JobManager of a finished application stays.",
)

# Pods
JM_STARTUP_PROBE_ENABLED = _RESOURCE.boolean(
    _K + "jm-deployment.startup.probe.enabled",
    True,
    "Add a startup probe to the JobManager's main container unless its template has one.",
)
MERGE_ARRAYS_BY_NAME = _RESOURCE.boolean(
    _K + "pod-template.merge-arrays-by-name",
    False,
    "Merge lists in pod templates by the items' names, not by position.",
)

# Snapshots
SAVEPOINT_DISPOSE_ON_DELETE = _RESOURCE.boolean(
    _K + "savepoint.dispose-on-delete",
    False,
    "Let the savepoints the operator takes be disposed of with their resources.",
)
SAVEPOINT_FORMAT = _RESOURCE.choice(
    _K + "savepoint.format.type", SavepointFormat.CANONICAL, "Binary format of savepoints."
)
CHECKPOINT_TYPE = _RESOURCE.choice(
    _K + "checkpoint.type", CheckpointType.FULL, "Kind of manual and periodic checkpoints."
)
SAVEPOINT_CLEANUP_ENABLED = _RESOURCE.boolean(
    _K + "savepoint.cleanup.enabled", True, "Remove old savepoints, by age and number."
)
SAVEPOINT_MAX_COUNT = _RESOURCE.integer(
    _K + "savepoint.history.max.count", 10, "How many savepoints are kept, at least 1."
)
SAVEPOINT_MAX_COUNT_THRESHOLD = _NAMESPACE.optional_integer(
    _K + "savepoint.history.max.count.threshold", "Upper bound of savepoint.history.max.count."
)
SAVEPOINT_MAX_AGE = _RESOURCE.duration(
    _K + "savepoint.history.max.age", "24 h", "How old savepoints get; the newest is always kept."
)
SAVEPOINT_MAX_AGE_THRESHOLD = _NAMESPACE.optional_duration(
    _K + "savepoint.history.max.age.threshold", "Upper bound of savepoint.history.max.age."
)
SNAPSHOT_RESOURCE_ENABLED = _RESOURCE.boolean(
    _K + "snapshot.resource.enabled",
    True,
    "Record snapshots as FlinkStateSnapshot resources where their CRD is installed.",
)
PERIODIC_SAVEPOINT_INTERVAL = _RESOURCE.text(
    _K + "periodic.savepoint.interval", "", "Duration or Quartz cron of automatic savepoints."
)
PERIODIC_CHECKPOINT_INTERVAL = _RESOURCE.text(
    _K + "periodic.checkpoint.interval", "", "Duration or Quartz cron of automatic checkpoints."
)

# Job health
HEALTH_CHECK_ENABLED = _RESOURCE.boolean(
    _K + "cluster.health-check.enabled", False, "Restart clusters whose job is found unhealthy."
)
HEALTH_RESTARTS_WINDOW = _RESOURCE.duration(
    _K + "cluster.health-check.restarts.window", "2 min", "Over which time restarts are counted."
)
HEALTH_RESTARTS_THRESHOLD = _RESOURCE.integer(
    _K + "cluster.health-check.restarts.threshold", 64, "How many restarts make a job unhealthy."
)
HEALTH_PROGRESS_ENABLED = _RESOURCE.boolean(
    _K + "cluster.health-check.checkpoint-progress.enabled",
    True,
    "Take a job without new checkpoints for unhealthy too.",
)
HEALTH_PROGRESS_WINDOW = _RESOURCE.optional_duration(
    _K + "cluster.health-check.checkpoint-progress.window",
    "How long a job may go without a new checkpoint; derived from its checkpoint options by default.",
)

# Deletion
SESSION_BLOCK_ON_UNMANAGED_JOBS = _RESOURCE.boolean(
    _K + "session.deletion.block-on-unmanaged-jobs",
    True,
    "Keep a deleted session cluster while jobs run on it that no resource describes.",
    _K + "session.block-on-unmanaged-jobs",
)
SESSION_BLOCK_ON_SESSION_JOBS = _RESOURCE.boolean(
    _K + "session.deletion.block-on-session-jobs",
    True,
    "Keep a deleted session cluster while FlinkSessionJobs refer to it.",
)
DELETION_PROPAGATION = _NAMESPACE.choice(
    _K + "resource.deletion.propagation",
    DeletionPropagation.FOREGROUND,
    "How the Deployments of a cluster are deleted. Foreground: a deleted resource stays until its last pod is gone. "
    "Background: it goes before. Orphan: the pods stay.",
)

# Ingress
INGRESS_MANAGE = _NAMESPACE.boolean(
    _K + "ingress.manage", True, "Create and delete the Ingresses that resources ask for."
)

# Artifacts of session jobs
ARTIFACTS_BASE_DIR = _DYNAMIC.text(
    _K + "user.artifacts.base.dir",
    "/opt/flink/artifacts",
    "Directory in the operator for jars of session jobs.",
)
ARTIFACTS_HTTP_HEADER = _RESOURCE.mapping(
    _K + "user.artifacts.http.header", "Headers sent when a jar is fetched by HTTP."
)
ARTIFACTS_ALLOWED_SCHEMES = _DYNAMIC.words(
    _K + "user.artifacts.allowed-schemes",
    ("https",),
    "Schemes that a session job's jarURI may have.",
)
ARTIFACTS_DISALLOW_RESTRICTED_HOSTS = _DYNAMIC.boolean(
    _K + "user.artifacts.disallow-restricted-hosts",
    True,
    "Refuse jars from hosts that resolve to loopback, link-local, private or multicast addresses.",
)

# Errors and events
STACKTRACE_ENABLED = _NAMESPACE.boolean(
    _K + "exception.stacktrace.enabled", False, "Put stack traces into status.error."
)
STACKTRACE_MAX_LENGTH = _NAMESPACE.integer(
    _K + "exception.stacktrace.max.length", 2048, "Longest stack trace in status.error."
)
EXCEPTION_FIELD_MAX_LENGTH = _NAMESPACE.integer(
    _K + "exception.field.max.length", 2048, "Longest text of any other field of status.error."
)
EXCEPTION_MAX_CAUSES = _NAMESPACE.integer(
    _K + "exception.throwable.list.max.count", 2, "How many causes status.error lists."
)
EXCEPTION_LABELS = _NAMESPACE.mapping(
    _K + "exception.label.mapper",
    "Regular expression in an error's message to label in status.error.",
)
EVENT_STACKTRACE_LINES = _NAMESPACE.integer(
    _K + "events.exceptions.stacktrace-lines", 5, "Lines of a stack trace in JobException events."
)
EVENT_EXCEPTIONS_LIMIT = _NAMESPACE.integer(
    _K + "events.exceptions.limit-per-reconciliation", 10, "JobException events per reconcile."
)

# What is watched
WATCHED_NAMESPACES = _STATIC.text(
    _K + "watched.namespaces",
    ALL_NAMESPACES,
    "Comma-separated namespaces to watch, or JOSDK_ALL_NAMESPACES, or JOSDK_WATCH_CURRENT.",
)
DYNAMIC_NAMESPACES_ENABLED = _DYNAMIC.boolean(
    _K + "dynamic.namespaces.enabled",
    False,
    "Follow changes of watched.namespaces without restart.",
)
LABEL_SELECTOR = _STATIC.optional_text(
    _K + "label.selector", "Only resources with these labels are managed."
)

# Configuration itself
DYNAMIC_CONFIG_ENABLED = _STATIC.boolean(
    _K + "dynamic.config.enabled",
    True,
    "Follow changes of the configuration files without restart.",
)
DYNAMIC_CONFIG_INTERVAL = _STATIC.duration(
    _K + "dynamic.config.check.interval", "5 min", "How often the files are looked at for changes."
)
CONFIG_CACHE_TIMEOUT = _STATIC.duration(
    _K + "config.cache.timeout", "10 min", "How long an unused configuration stays in the cache."
)
CONFIG_CACHE_SIZE = _STATIC.integer(
    _K + "config.cache.size", 1000, "How many configurations the cache holds."
)

# Retries and rates
RETRY_INITIAL_INTERVAL = _STATIC.duration(
    _K + "retry.initial.interval", "5 s", "Wait before the first and second retry after an error."
)
RETRY_MULTIPLIER = _STATIC.double(
    _K + "retry.interval.multiplier", 1.5, "Factor by which the wait grows from the third retry on."
)
RETRY_MAX_INTERVAL = _STATIC.optional_duration(
    _K + "retry.max.interval", "Longest wait between retries; without it there is no bound."
)
RETRY_MAX_ATTEMPTS = _STATIC.integer(
    _K + "retry.max.attempts", 15, "Retries before waiting for the next event; -1 sets no bound."
)
RATE_LIMITER_PERIOD = _STATIC.duration(
    _K + "rate-limiter.refresh-period", "15 s", "Period over which reconciles of a resource count."
)
RATE_LIMITER_LIMIT = _STATIC.integer(
    _K + "rate-limiter.limit", 5, "Reconciles of a resource per period; 0 or less sets no bound."
)

# The process
STOP_ON_INFORMER_ERROR = _STATIC.boolean(
    _K + "startup.stop-on-informer-error", True, "End the process when a watch fails at start."
)
TERMINATION_TIMEOUT = _STATIC.duration(
    _K + "termination.timeout", "10 s", "How long reconciles under way may take at shutdown."
)
HEALTH_PROBE_ENABLED = _STATIC.boolean(
    _K + "health.probe.enabled", True, "Serve the health endpoint."
)
HEALTH_PROBE_PORT = _STATIC.integer(_K + "health.probe.port", 8085, "Port of the health endpoint.")
CANARY_TIMEOUT = _DYNAMIC.duration(
    _K + "health.canary.resource.timeout",
    "1 min",
    "How long a canary resource may go unreconciled before the operator counts as unhealthy.",
)
LEADER_ELECTION_ENABLED = _STATIC.boolean(
    _K + "leader-election.enabled", False, "Elect one of several replicas by Lease."
)
LEADER_ELECTION_LEASE_NAME = _STATIC.optional_text(
    _K + "leader-election.lease-name", "Name of the Lease; required with leader election."
)
LEADER_ELECTION_LEASE_DURATION = _STATIC.duration(
    _K + "leader-election.lease-duration", "15 s", "How long a lease holds without renewal."
)
LEADER_ELECTION_RENEW_DEADLINE = _STATIC.duration(
    _K + "leader-election.renew-deadline", "10 s", "When a leader that cannot renew gives up."
)
LEADER_ELECTION_RETRY_PERIOD = _STATIC.duration(
    _K + "leader-election.retry-period", "2 s", "Wait between attempts to get or renew the lease."
)
CLUSTER_VIEW_INTERVAL = _STATIC.duration(
    _K + "cluster.resource-view.refresh-interval",
    "-1 min",
    "How often free node resources are looked at for the autoscaler; negative turns it off.",
)
PLUGIN_LISTENERS_PREFIX = _K + "plugins.listeners."


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order."""
    return tuple(value for value in globals().values() if isinstance(value, Option))
