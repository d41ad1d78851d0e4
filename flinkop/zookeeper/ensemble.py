"""Which ZooKeeper servers there are, and who the operator says it is; pure."""

from attrs import field, frozen


@frozen
class Ensemble:
    """The servers that keep the same nodes.

    Attributes:
        servers: `host:port` of each, or `host` for port 2181, in the order they were named.
        credentials: pairs of scheme and secret, given to the server at the start of each session.
    """

    servers: tuple[str, ...]
    credentials: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        return ",".join(self.servers)
