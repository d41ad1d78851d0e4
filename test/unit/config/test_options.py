"""The tables of options."""

import datetime as dt

import pytest

from flinkop.config import artifact_options, flink_options, metric_options, options
from flinkop.config.errors import ConfigValueError
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Scope

MINUTE = dt.timedelta(minutes=1)
OWN = options.all_options() + metric_options.all_options() + artifact_options.all_options()
EVERY = OWN + flink_options.all_options()


def test_keys_are_unique():
    """No key stands for two options, and no older key shadows a current one."""
    keys = [option.key for option in EVERY]
    assert len(keys) == len(set(keys))
    older = [key for option in OWN for key in option.older_keys]
    assert not set(older) & set(keys)


@pytest.mark.parametrize("option", EVERY, ids=lambda option: option.key)
def test_descriptions(option):
    """Every option says what it is for, in a sentence."""
    assert option.description.endswith(".")
    assert option.description[0].isupper() or option.description.startswith("krb5")


def test_all_operator_options():
    """The reference's options are all there: 79 plus 12 about metrics, and listeners under a prefix."""
    assert len(options.all_options()) == 79
    assert len(metric_options.all_options()) == 12
    assert all(option.key.startswith("kubernetes.operator.") for option in OWN)
    assert all(option.scope is not Scope.FLINK for option in OWN)


@pytest.mark.parametrize(
    "option", [option for option in OWN if option.older_keys], ids=lambda option: option.key
)
def test_older_keys(option):
    """An older key counts as long as the current one is absent."""
    text = {"Duration": "7 s", "Integer": "7", "Boolean": "false"}.get(option.type_name, "x")
    for older in option.older_keys:
        conf = FlinkConf({older: text})
        assert conf.get(option) == option.parse(text)
        assert conf.has(option)


def test_defaults():
    """Defaults are values, not texts."""
    conf = FlinkConf()
    assert conf.get(options.RECONCILE_INTERVAL) == dt.timedelta(seconds=60)
    assert conf.get(options.CLUSTER_VIEW_INTERVAL) == dt.timedelta(minutes=-1)
    assert conf.get(options.DELETION_PROPAGATION) is options.DeletionPropagation.FOREGROUND
    assert conf.get(options.ARTIFACTS_ALLOWED_SCHEMES) == ("https",)
    assert conf.get(artifact_options.ALLOWED_NETWORKS) == ()
    assert conf.get(options.RETRY_MAX_INTERVAL) is None
    assert conf.get(options.EXCEPTION_LABELS) == {}


@pytest.mark.parametrize(
    ("option", "default"),
    [
        (options.SAVEPOINT_GRACE_PERIOD, MINUTE),
        (options.CHECKPOINT_GRACE_PERIOD, MINUTE),
        (options.SAVEPOINT_DISPOSE_ON_DELETE, False),
        (options.SAVEPOINT_FORMAT, options.SavepointFormat.CANONICAL),
        (options.CHECKPOINT_TYPE, options.CheckpointType.FULL),
        (options.SAVEPOINT_CLEANUP_ENABLED, True),
        (options.SAVEPOINT_MAX_COUNT, 10),
        (options.SAVEPOINT_MAX_COUNT_THRESHOLD, None),
        (options.SAVEPOINT_MAX_AGE, dt.timedelta(hours=24)),
        (options.SAVEPOINT_MAX_AGE_THRESHOLD, None),
        (options.SNAPSHOT_RESOURCE_ENABLED, True),
        (options.PERIODIC_SAVEPOINT_INTERVAL, ""),
        (options.PERIODIC_CHECKPOINT_INTERVAL, ""),
        (options.HEALTH_CHECK_ENABLED, False),
        (options.HEALTH_RESTARTS_WINDOW, 2 * MINUTE),
        (options.HEALTH_RESTARTS_THRESHOLD, 64),
        (options.HEALTH_PROGRESS_ENABLED, True),
        (options.HEALTH_PROGRESS_WINDOW, None),
        (options.EVENT_STACKTRACE_LINES, 5),
        (options.EVENT_EXCEPTIONS_LIMIT, 10),
        (flink_options.RETAINED_CHECKPOINTS, 1),
        (flink_options.CHECKPOINT_TIMEOUT, 10 * MINUTE),
        (flink_options.TOLERABLE_CHECKPOINT_FAILURES, 0),
    ],
    ids=lambda value: getattr(value, "key", None),
)
def test_defaults_of_snapshots_and_health(option, default):
    """As the reference and Flink have them (behaviour.md 0.9)."""
    assert FlinkConf().get(option) == default


@pytest.mark.parametrize("text", ["https;s3", "https,s3", " https , s3 ;", "[https, s3]"])
def test_both_separators_of_words(text):
    """Schemes are listed with `;`, as Flink writes lists, or with `,`, as the reference's page says."""
    conf = FlinkConf({options.ARTIFACTS_ALLOWED_SCHEMES.key: text})
    assert conf.get(options.ARTIFACTS_ALLOWED_SCHEMES) == ("https", "s3")


def test_networks():
    """Ranges and single addresses are read; what is none is told with the key."""
    option = artifact_options.ALLOWED_NETWORKS
    read = FlinkConf({option.key: "10.1.0.0/16; fd00:1::/32, 10.2.0.1"}).get(option)
    assert [str(network) for network in read] == ["10.1.0.0/16", "fd00:1::/32", "10.2.0.1/32"]
    with pytest.raises(ConfigValueError, match=r"allowed-networks.*write ranges such as 10\.1"):
        FlinkConf({option.key: "10.1.0.7/16"}).get(option)
