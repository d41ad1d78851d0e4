"""What this version says that it cannot do yet."""

from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import not_yet


def test_what_is_accepted_without_effect_is_told():
    """An autoscaler that nobody runs yet must not be waited for."""
    asked = FlinkConf({"job.autoscaler.enabled": "true"})
    assert [("autoscaler" in text) for text in not_yet.without_effect(asked)] == [True]
    assert list(not_yet.without_effect(FlinkConf({}))) == []
