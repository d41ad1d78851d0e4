"""flinkop's own options about deletions; the reference's are in `options`."""

from flinkop.config.option import Option, Scope, Section
from flinkop.config.options import PREFIX

_RESOURCE = Section(Scope.RESOURCE)

DEADLINE = _RESOURCE.optional_duration(
    PREFIX + "deletion.deadline",
    "How long what keeps a deleted resource may keep it. After that the resource goes, and an Event says what is left. "
    "Without it a deletion waits for as long as it takes.",
)


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order."""
    return tuple(value for value in globals().values() if isinstance(value, Option))
