"""What the operator process itself goes by: a typed, frozen view of its options."""

import datetime as dt
import re
from collections.abc import Mapping

import attrs

from flinkop.config import errors, metric_options, options
from flinkop.config.flink_conf import FlinkConf


@attrs.frozen(kw_only=True)
class WatchScope:
    """Which namespaces are watched: all, the operator's own, or a list.

    Attributes:
        all_namespaces: Watch all.
        current_namespace: Watch the one the operator runs in.
        namespaces: Watch these, sorted; empty with one of the others.
    """

    all_namespaces: bool = False
    current_namespace: bool = False
    namespaces: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class LeaderElection:
    """Election of one of several replicas."""

    enabled: bool
    lease_name: str | None
    lease_duration: dt.timedelta
    renew_deadline: dt.timedelta
    retry_period: dt.timedelta


@attrs.frozen(kw_only=True)
class Retry:
    """Retries after an error nobody expected; `max_attempts` -1 sets no bound."""

    initial_interval: dt.timedelta
    multiplier: float
    max_interval: dt.timedelta | None
    max_attempts: int


@attrs.frozen(kw_only=True)
class ErrorFormat:
    """How errors are written to status.error and to events."""

    stacktrace_enabled: bool
    stacktrace_max_length: int
    field_max_length: int
    max_causes: int
    labels: Mapping[str, str]
    event_stacktrace_lines: int
    event_limit: int


@attrs.frozen(kw_only=True)
class OperatorConfig:
    """The operator's options, read once for a (namespace, Flink version) or globally.

    Attributes are named after the options in `options`; times are timedeltas. Options of scope R are not
    here: read them from the resource's own configuration.
    """

    reconcile_interval: dt.timedelta
    reconcile_parallelism: int
    rest_ready_delay: dt.timedelta
    progress_check_interval: dt.timedelta
    flink_client_timeout: dt.timedelta
    flink_cancel_timeout: dt.timedelta
    resource_cleanup_timeout: dt.timedelta
    job_submission_timeout: dt.timedelta
    deletion_propagation: options.DeletionPropagation
    ingress_manage: bool
    snapshot_resource_enabled: bool
    savepoint_max_count_threshold: int | None
    savepoint_max_age_threshold: dt.timedelta | None
    artifacts_base_dir: str
    artifacts_allowed_schemes: frozenset[str]
    artifacts_disallow_restricted_hosts: bool
    watch: WatchScope
    dynamic_namespaces_enabled: bool
    label_selector: str | None
    dynamic_config_enabled: bool
    dynamic_config_interval: dt.timedelta
    config_cache_timeout: dt.timedelta
    config_cache_size: int
    rate_limiter_period: dt.timedelta
    rate_limiter_limit: int
    stop_on_informer_error: bool
    termination_timeout: dt.timedelta
    health_probe_enabled: bool
    health_probe_port: int
    canary_timeout: dt.timedelta
    cluster_view_interval: dt.timedelta
    retry: Retry
    errors: ErrorFormat
    leader_election: LeaderElection
    jvm_metrics_enabled: bool
    josdk_metrics_enabled: bool
    client_metrics_enabled: bool
    resource_metrics_enabled: bool
    lifecycle_metrics_enabled: bool

    @classmethod
    def read(cls, conf: FlinkConf, environ: Mapping[str, str] | None = None) -> "OperatorConfig":
        """Read `conf`; WATCH_NAMESPACES of `environ` beats the option (`operations.md` 1.2).

        Raises:
            ConfigError: some value cannot be read, or two do not go together.
        """
        get = conf.get
        return cls(
            reconcile_interval=get(options.RECONCILE_INTERVAL),
            reconcile_parallelism=get(options.RECONCILE_PARALLELISM),
            rest_ready_delay=get(options.REST_READY_DELAY),
            progress_check_interval=get(options.PROGRESS_CHECK_INTERVAL),
            flink_client_timeout=get(options.FLINK_CLIENT_TIMEOUT),
            flink_cancel_timeout=get(options.FLINK_CANCEL_TIMEOUT),
            resource_cleanup_timeout=get(options.RESOURCE_CLEANUP_TIMEOUT),
            job_submission_timeout=get(options.JOB_SUBMISSION_TIMEOUT),
            deletion_propagation=get(options.DELETION_PROPAGATION),
            ingress_manage=get(options.INGRESS_MANAGE),
            snapshot_resource_enabled=get(options.SNAPSHOT_RESOURCE_ENABLED),
            savepoint_max_count_threshold=get(options.SAVEPOINT_MAX_COUNT_THRESHOLD),
            savepoint_max_age_threshold=get(options.SAVEPOINT_MAX_AGE_THRESHOLD),
            artifacts_base_dir=get(options.ARTIFACTS_BASE_DIR),
            artifacts_allowed_schemes=frozenset(
                scheme.lower() for scheme in get(options.ARTIFACTS_ALLOWED_SCHEMES)
            ),
            artifacts_disallow_restricted_hosts=get(options.ARTIFACTS_DISALLOW_RESTRICTED_HOSTS),
            watch=_watch_scope(conf, environ or {}),
            dynamic_namespaces_enabled=get(options.DYNAMIC_NAMESPACES_ENABLED),
            label_selector=get(options.LABEL_SELECTOR),
            dynamic_config_enabled=get(options.DYNAMIC_CONFIG_ENABLED),
            dynamic_config_interval=get(options.DYNAMIC_CONFIG_INTERVAL),
            config_cache_timeout=get(options.CONFIG_CACHE_TIMEOUT),
            config_cache_size=get(options.CONFIG_CACHE_SIZE),
            rate_limiter_period=get(options.RATE_LIMITER_PERIOD),
            rate_limiter_limit=get(options.RATE_LIMITER_LIMIT),
            stop_on_informer_error=get(options.STOP_ON_INFORMER_ERROR),
            termination_timeout=get(options.TERMINATION_TIMEOUT),
            health_probe_enabled=get(options.HEALTH_PROBE_ENABLED),
            health_probe_port=get(options.HEALTH_PROBE_PORT),
            canary_timeout=get(options.CANARY_TIMEOUT),
            cluster_view_interval=get(options.CLUSTER_VIEW_INTERVAL),
            retry=Retry(
                initial_interval=get(options.RETRY_INITIAL_INTERVAL),
                multiplier=get(options.RETRY_MULTIPLIER),
                max_interval=get(options.RETRY_MAX_INTERVAL),
                max_attempts=get(options.RETRY_MAX_ATTEMPTS),
            ),
            errors=ErrorFormat(
                stacktrace_enabled=get(options.STACKTRACE_ENABLED),
                stacktrace_max_length=get(options.STACKTRACE_MAX_LENGTH),
                field_max_length=get(options.EXCEPTION_FIELD_MAX_LENGTH),
                max_causes=get(options.EXCEPTION_MAX_CAUSES),
                labels=get(options.EXCEPTION_LABELS),
                event_stacktrace_lines=get(options.EVENT_STACKTRACE_LINES),
                event_limit=get(options.EVENT_EXCEPTIONS_LIMIT),
            ),
            leader_election=_leader_election(conf),
            jvm_metrics_enabled=get(metric_options.JVM_METRICS_ENABLED),
            josdk_metrics_enabled=get(metric_options.JOSDK_METRICS_ENABLED),
            client_metrics_enabled=get(metric_options.CLIENT_METRICS_ENABLED),
            resource_metrics_enabled=get(metric_options.RESOURCE_METRICS_ENABLED),
            lifecycle_metrics_enabled=get(metric_options.LIFECYCLE_METRICS_ENABLED),
        )


def _watch_scope(conf: FlinkConf, environ: Mapping[str, str]) -> WatchScope:
    text = environ.get("WATCH_NAMESPACES", "")
    source = "environment variable WATCH_NAMESPACES"
    if not text.strip():
        text = conf.get(options.WATCHED_NAMESPACES)
        source = options.WATCHED_NAMESPACES.key
    names = frozenset(name for name in re.split(r"\s*,\s*", text.strip()) if name)
    if not names or names == {options.ALL_NAMESPACES}:
        return WatchScope(all_namespaces=True)
    if names == {options.CURRENT_NAMESPACE}:
        return WatchScope(current_namespace=True)
    special = names & {options.ALL_NAMESPACES, options.CURRENT_NAMESPACE}
    if special:
        raise errors.ConfigError(
            f"{source} lists {min(special)} beside namespaces. Write either it alone, or namespaces only."
        )
    return WatchScope(namespaces=tuple(sorted(names)))


def _leader_election(conf: FlinkConf) -> LeaderElection:
    election = LeaderElection(
        enabled=conf.get(options.LEADER_ELECTION_ENABLED),
        lease_name=conf.get(options.LEADER_ELECTION_LEASE_NAME),
        lease_duration=conf.get(options.LEADER_ELECTION_LEASE_DURATION),
        renew_deadline=conf.get(options.LEADER_ELECTION_RENEW_DEADLINE),
        retry_period=conf.get(options.LEADER_ELECTION_RETRY_PERIOD),
    )
    if not election.enabled:
        return election
    if not election.lease_name:
        raise errors.ConfigError(
            "Leader election is enabled without a lease name. "
            f"Set {options.LEADER_ELECTION_LEASE_NAME.key}."
        )
    if not election.retry_period < election.renew_deadline < election.lease_duration:
        raise errors.ConfigError(
            "The times of leader election do not go together. Set "
            f"{options.LEADER_ELECTION_RETRY_PERIOD.key} < {options.LEADER_ELECTION_RENEW_DEADLINE.key} "
            f"< {options.LEADER_ELECTION_LEASE_DURATION.key}."
        )
    return election
