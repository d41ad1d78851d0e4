"""What keeps scenarios from being run, for a person to read."""


class NotPossibleError(RuntimeError):
    """There is no cluster to be had, or something it takes is missing: what, and what to do."""
