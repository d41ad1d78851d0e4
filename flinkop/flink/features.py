"""What changed in Flink's REST API between 1.13 and 2.x, as questions about a version."""

from typing import Final, NamedTuple


class Version(NamedTuple):
    """Major and minor version of the cluster's Flink."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


NEWEST: Final = Version(99, 0)
"""Stands for a version nobody told us: assume all features."""

SAVEPOINT_FORMAT: Final = Version(1, 15)
"""`formatType` in savepoint and stop requests; `restoreMode` of a run; own trigger ids."""
CHECKPOINT_TRIGGER: Final = Version(1, 17)
"""POST `/jobs/:id/checkpoints`."""
JAR_CONFIGURATION: Final = Version(1, 17)
"""`flinkConfiguration` of a run."""
REQUIREMENTS: Final = Version(1, 18)
"""`/jobs/:id/resource-requirements`."""
CLAIM_MODE: Final = Version(1, 20)
"""`claimMode`, which replaces `restoreMode`."""


def parse(text: str) -> Version | None:
    """Return the version in `1.20.5`, `2.2-SNAPSHOT` or `v1_20`; None when there is none."""
    parts = text.removeprefix("v").replace("_", ".").split("-", 1)[0].split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):  # noqa: PLR2004 - major.minor
        return None
    return Version(int(parts[0]), int(parts[1]))
