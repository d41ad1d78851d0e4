"""Lifecycle states are read from an operator's log, and judged by the table."""

from fakes.lifecycles import impossible, told

from flinkop.api.status import LifecycleState as State

LOG = """\
2026-01-31 13:08:29,222 f.controllers  [INFO ][a/one] >>> Status[Job]      | Info    | UPGRADING       | JobManager MISSING
2026-01-31 13:08:29,230 f.controllers  [INFO ][b/one] >>> Status[Job]      | Error   | FAILED          | [x/y] is wrong
2026-01-31 13:08:29,300 f.controllers  [INFO ][a/one] >>> Event[Job]       | Info    | SUBMIT          | Starting deployment
2026-01-31 13:08:29,400 f.controllers  [INFO ][a/s] >>> Status[Snapshot]   | COMPLETED       | s3://p
2026-01-31 13:08:30,222 f.controllers  [INFO ][a/one] >>> Status[Job]      | Info    | DEPLOYED        | JobManager DEPLOYING kind=FlinkDeployment
"""


def test_each_resource_has_its_own_story():
    """Events and snapshots are no part of it."""
    assert told(LOG) == {"a/one": [State.UPGRADING, State.DEPLOYED], "b/one": [State.FAILED]}


def test_only_what_the_table_lacks_is_reported():
    """The first step is from CREATED."""
    assert impossible(LOG) == []
    after = LOG.replace("| DEPLOYED ", "| ROLLED_BACK ")
    assert impossible(after) == ["a/one: UPGRADING became ROLLED_BACK"]
    assert impossible(LOG.replace("| FAILED ", "| STABLE ")) == ["b/one: CREATED became STABLE"]
