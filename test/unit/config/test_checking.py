"""What is said about a configuration."""

import pytest
from hypothesis import given, strategies as st

from flinkop.config import checking, options, source, without_effect
from flinkop.config.checking import Level
from flinkop.config.flink_conf import FlinkConf

K = "kubernetes.operator."
NS = K + "default-configuration.namespace.team-a."
V = K + "default-configuration.flink-version.v1_19+."


def said(**entries):
    """Level and message of all findings about entries."""
    return [(one.level, one.message) for one in checking.check(FlinkConf(entries))]


def test_the_shipped_configuration_has_nothing_to_say():
    """Neither has an empty one."""
    assert checking.check(FlinkConf(source.shipped().entries)) == []
    assert checking.check(FlinkConf()) == []


@pytest.mark.parametrize(
    ("key", "near"),
    [
        (K + "reconcile.intervals", K + "reconcile.interval"),
        (K + "leader-election.enable", K + "leader-election.enabled"),
        (K + "savepoint.history.max.counts", K + "savepoint.history.max.count"),
        (V + K + "job.restart.fail", K + "job.restart.failed"),
        ("job.autoscaler.vertex.max-paralelism", "job.autoscaler.vertex.max-parallelism"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest(key, near):
    """Also as a default of a namespace or version."""
    [(level, message)] = said(**{key: "1"})
    assert level is Level.WARNING
    assert message.endswith(f"is not known and has no effect. Is {near} meant?")


def test_what_resembles_nothing_gets_no_hint():
    """A wrong guess is worse than none."""
    [(_, message)] = said(**{K + "zzz": "1"})
    assert message == "kubernetes.operator.zzz is not known and has no effect."


@pytest.mark.parametrize(
    "key",
    [
        "pipeline.name",
        "anything.else",
        K + "metrics.reporter.prom.port",
        K + "plugins.listeners.mine.class",
        K + "user.artifacts.http.header.Authorization",
        K + "exception.label.mapper.x",
        NS + "pipeline.name",
        NS + K + "reconcile.interval",
    ],
)
def test_families_and_flinks_own_keys_are_free(key):
    """What stands behind these prefixes is somebody else's."""
    assert said(**{key: "1 s"}) == []


@pytest.mark.parametrize("prefix", ["", NS, V])
def test_an_unreadable_value_is_an_error(prefix):
    """Wherever it stands, and before everything else."""
    found = said(**{prefix + K + "reconcile.interval": "soon", K + "zzz": "1"})
    assert [level for level, _ in found] == [Level.ERROR, Level.WARNING]
    assert "'soon'" in found[0][1]


def test_options_that_do_not_go_together_are_an_error():
    """As at the start."""
    [(level, message)] = said(**{K + "leader-election.enabled": "true"})
    assert level is Level.ERROR
    assert "lease name" in message


def test_an_older_name_works_and_is_told():
    """Beside the current one it does not work."""
    older, current = K + "reconciler.max.parallelism", K + "reconcile.parallelism"
    assert said(**{older: "3"}) == [(Level.NOTE, f"{older} is an older name of {current}.")]
    [(level, message)] = said(**{older: "3", current: "4"})
    assert level is Level.WARNING
    assert "is there, too" in message


def test_an_option_of_the_whole_operator_as_a_default_of_a_namespace():
    """Nobody reads it there."""
    [(level, message)] = said(**{NS + K + "retry.max.attempts": "3"})
    assert level is Level.WARNING
    assert "holds for the whole operator" in message


def test_options_without_effect_are_told():
    """With what holds instead."""
    [(level, message)] = said(**{"job.autoscaler.enabled": "true"})
    assert (level, message) == (
        Level.WARNING,
        "job.autoscaler.enabled has no effect: jobs are not scaled yet.",
    )


def test_each_reason_belongs_to_an_option():
    """None is left over when an option goes."""
    assert set(without_effect.REASONS) <= {one.key for one in checking.own_options()}


def test_a_default_for_an_unknown_version_is_told():
    """It holds for no cluster."""
    [(level, message)] = said(**{K + "default-configuration.flink-version.v9_9.a": "b"})
    assert level is Level.WARNING
    assert "v9_9" in message


def test_differing():
    """Only what is not the default; secrets hidden; defaults of namespaces as they stand."""
    entries = {
        K + "reconcile.interval": "60000",  # the default, in other words
        K + "reconciler.max.parallelism": "7",
        K + "user.artifacts.http.header": "Authorization:Basic abc",
        NS + "a": "b",
        "parallelism.default": "4",
    }
    shipped = source.shipped().entries
    assert checking.differing(FlinkConf(shipped), shipped) == {}
    assert checking.differing(FlinkConf(shipped | entries), shipped) == {
        K + "reconciler.max.parallelism": "7",
        K + "user.artifacts.http.header": "******",
        NS + "a": "b",
    }


@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from([one.key for one in checking.own_options()]),
            st.text(max_size=20).map(lambda text: K + text),
            st.text(max_size=20).map(lambda text: options.VERSION_DEFAULTS + text),
            st.text(max_size=20).map(lambda text: options.NAMESPACE_DEFAULTS + text),
        ),
        st.text(max_size=20),
        max_size=5,
    )
)
def test_no_configuration_breaks_the_check(entries):
    """Whatever stands in the file; and no value of a secret is shown."""
    conf = FlinkConf(entries)
    for finding in checking.check(conf):
        assert finding.message.endswith((".", ")", "?")) or finding.level is Level.ERROR
    checking.differing(conf, {})
