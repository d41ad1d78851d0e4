"""What can go wrong here, for a person to read."""


class ControlPlaneError(RuntimeError):
    """A tool could not be had or a cluster could not be started: cause first, then what to do."""
