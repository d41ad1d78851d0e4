"""What keeps a step from being carried out, so that the rest of the plan is not.

ObjectRefused   the API server does not accept an object     (a change of the spec)
StepFailed      Flink refuses what has to succeed first      (after the interval)
ScalingRefused  the running job cannot be scaled             (at once, by an upgrade)
"""


class ObjectRefused(Exception):  # noqa: N818 - reads as what happened
    """The API server does not accept an object that the spec leads to; a change of the spec is needed.

    Attributes:
        reason: the API server's reason, or FailedCreate when a policy or quota forbids it.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class StepFailed(Exception):  # noqa: N818 - reads as what happened
    """Flink refuses what has to succeed before anything else may happen; it is tried again later.

    Attributes:
        reason: reason of the Event.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class ScalingRefused(Exception):  # noqa: N818 - reads as what happened
    """The running job cannot be scaled: it is upgraded instead (R-113)."""
