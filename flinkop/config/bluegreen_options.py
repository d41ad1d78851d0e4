"""Options of FlinkBlueGreenDeployments (`operations.md` 1.11); they are read from `spec.configuration` of one."""

from typing import Final

from flinkop.config.option import Option, Scope, Section
from flinkop.config.options import PREFIX

_K: Final = PREFIX + "bluegreen."
_RESOURCE: Final = Section(Scope.RESOURCE)

ABORT_GRACE_PERIOD = _RESOURCE.duration(
    _K + "abort.grace-period", "10 min", "How long the new side may take before it is given up."
)
RESCHEDULE_INTERVAL = _RESOURCE.duration(
    _K + "reconciliation.reschedule-interval", "15 s", "Time between looks at a transition."
)
DELETION_DELAY = _RESOURCE.duration(
    _K + "deployment-deletion.delay", "0 ms", "How long the old side stays after a transition."
)


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order."""
    return tuple(value for value in globals().values() if isinstance(value, Option))
