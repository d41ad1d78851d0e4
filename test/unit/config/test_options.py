"""The tables of options."""

import datetime as dt

import pytest

from flinkop.config import flink_options, metric_options, options
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Scope

OWN = options.all_options() + metric_options.all_options()
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
    """The operator's options are all there: 79 plus 12 about metrics, and listeners under a prefix."""
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
    assert conf.get(options.RETRY_MAX_INTERVAL) is None
    assert conf.get(options.EXCEPTION_LABELS) == {}
