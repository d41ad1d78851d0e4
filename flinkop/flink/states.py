"""Flink's job states and the states of asynchronous operations."""

import enum
from typing import Self


class JobState(enum.StrEnum):
    """A job's state as Flink reports it (`behaviour.md` 0.3); an unknown word reads as RECONCILING."""

    INITIALIZING = "INITIALIZING"
    CREATED = "CREATED"
    RUNNING = "RUNNING"
    FAILING = "FAILING"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"
    RESTARTING = "RESTARTING"
    SUSPENDED = "SUSPENDED"
    RECONCILING = "RECONCILING"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        # A word from a later Flink must not make the whole list of jobs unreadable.
        return cls("RECONCILING") if isinstance(value, str) else None

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended for good; SUSPENDED is only locally terminal and so is not."""
        return self in _TERMINAL


_TERMINAL = frozenset({JobState.FAILED, JobState.CANCELED, JobState.FINISHED})


class OperationStatus(enum.StrEnum):
    """State of a savepoint, checkpoint, stop or disposal that was triggered."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"


class SavepointFormat(enum.StrEnum):
    """`formatType` of a savepoint (Flink 1.15 and later)."""

    CANONICAL = "CANONICAL"
    NATIVE = "NATIVE"


class CheckpointType(enum.StrEnum):
    """`checkpointType` of a triggered checkpoint (Flink 1.17 and later)."""

    CONFIGURED = "CONFIGURED"
    FULL = "FULL"
    INCREMENTAL = "INCREMENTAL"
