"""Layers of defaults."""

from flinkop.api.flink_version import FlinkVersion
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.layers import ConfigLayers

NS = "kubernetes.operator.default-configuration.namespace."
FV = "kubernetes.operator.default-configuration.flink-version."


def layers(**_):
    """Layers with one key at every level."""
    return ConfigLayers(
        FlinkConf(
            {
                "k": "base",
                "n": "base",
                f"{NS}ns1.k": "namespace",
                f"{NS}ns1.n": "namespace",
                f"{NS}ns1.kubernetes.operator.reconcile.interval": "30 s",
                f"{FV}v1_18+.k": "from 1.18",
                f"{FV}v1_20+.k": "from 1.20",
                f"{FV}v2_0.k": "exactly 2.0",
                f"{FV}v9_9+.k": "unknown",
                f"{FV}latest.k": "no version",
            }
        )
    )


def test_precedence():
    """Later layers win: base, namespace, version and later in ascending order, exact version."""
    made = layers()
    assert made.effective("ns1").text("k") == "namespace"
    assert made.effective("ns2").text("k") == "base"
    assert made.effective("ns1", FlinkVersion.V1_17).text("k") == "namespace"
    assert made.effective("ns1", FlinkVersion.V1_19).text("k") == "from 1.18"
    assert made.effective("ns1", FlinkVersion.V2_0).text("k") == "exactly 2.0"
    assert made.effective("ns1", FlinkVersion.V2_1).text("k") == "from 1.20"
    assert made.effective("ns1", FlinkVersion.V2_1).text("n") == "namespace"


def test_operator_options_too():
    """Namespace defaults hold for the operator's own options as well."""
    assert layers().effective("ns1").text("kubernetes.operator.reconcile.interval") == "30 s"


def test_answers_are_kept():
    """Namespaces without defaults share one answer, so the cache stays small."""
    made = layers()
    assert made.effective("a", FlinkVersion.V1_20) is made.effective("b", FlinkVersion.V1_20)
    assert made.effective(None) is made.effective("a")


def test_unknown_versions_are_reported():
    """Defaults for versions nobody knows have no effect and are listed."""
    assert [entry.key for entry in layers().ignored] == [f"{FV}latest.k", f"{FV}v9_9+.k"]
