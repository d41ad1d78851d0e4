"""The configuration in force now: one place that a reload changes and everybody else only reads."""

from attrs import define

from flinkop.config.snapshot import ConfigSnapshot


@define
class Settings:
    """Holds the current snapshot; a reconcile takes it once and keeps it to its end."""

    current: ConfigSnapshot

    def replace(self, snapshot: ConfigSnapshot) -> None:
        """Make `snapshot` the one that later reconciles see."""
        self.current = snapshot
