"""What this version accepts and cannot do yet, said instead of passed over; pure.

The list shrinks with each release; `docs/compatibility.md` shows it to users.
"""

from collections.abc import Iterator

from flinkop.config.flink_conf import FlinkConf
from flinkop.lifecycle import autoscaler_rules


def without_effect(conf: FlinkConf) -> Iterator[str]:
    """Yield what `conf` asks for that is accepted and does nothing yet, in words for an Event."""
    if autoscaler_rules.is_enabled(conf):
        yield "job.autoscaler.enabled is set, and flinkop cannot scale jobs yet: the job keeps its parallelism"
