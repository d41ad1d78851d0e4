"""What can go wrong with a question to ZooKeeper; each leaves the answer unknown.

    ZooKeeperError            anything; tried again after `retry_after` seconds
    ├── LibraryMissing        the package that speaks to ZooKeeper is not installed
    ├── Unavailable           nobody answered in time
    └── Denied                the server does not let the operator do it

No message tells how a connection failed: where it went was a user's choice, and what answers there, or does
not, is not theirs to find out through the operator.
"""

from typing import ClassVar


class ZooKeeperError(Exception):
    """A question to ZooKeeper that has no answer, or a change that may not have been made.

    Attributes:
        retry_after: seconds until it is worth trying again.
    """

    retry_after: ClassVar[float] = 10.0


class LibraryMissing(ZooKeeperError):  # noqa: N818 - reads as what happened
    """The optional package is not installed beside the operator."""

    retry_after: ClassVar[float] = 60.0

    def __init__(self) -> None:
        super().__init__(
            "this operator cannot speak to ZooKeeper: the Python package kazoo is not installed beside it. "
            "Install flinkop[zookeeper], or set high-availability.type: kubernetes"
        )


class Unavailable(ZooKeeperError):  # noqa: N818
    """No server answered in time, or it stopped answering."""


class Denied(ZooKeeperError):  # noqa: N818
    """The access control list of a node does not let the operator in."""
