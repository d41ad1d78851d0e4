"""flinkop's own options about jars of session jobs; the reference's are in `options`."""

import ipaddress

from flinkop.config import structured
from flinkop.config.option import Option, Scope, Section
from flinkop.config.options import PREFIX

_K = PREFIX + "user.artifacts."
_STATIC = Section(Scope.STATIC)
_DYNAMIC = Section(Scope.DYNAMIC)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read addresses and ranges of them, separated by `;` or `,`."""
    try:
        return tuple(ipaddress.ip_network(word) for word in structured.parse_words(text))
    except ValueError as error:
        raise ValueError(f"{error}; write ranges such as 10.1.0.0/16 or fd00:1::/32") from None


ALLOWED_NETWORKS: Option[tuple[Network, ...]] = Option(
    _K + "allowed-networks",
    parse_networks,
    (),
    Scope.DYNAMIC,
    "Address ranges that jars may come from although disallow-restricted-hosts refuses them.",
    "List",
)
MAX_SIZE = _DYNAMIC.memory(_K + "max-size", "1 gb", "How large a jar may be.")
CONNECT_TIMEOUT = _DYNAMIC.duration(
    _K + "connect-timeout", "10 s", "How long each attempt to connect to a server may take."
)
IDLE_TIMEOUT = _DYNAMIC.duration(_K + "idle-timeout", "30 s", "How long a server may send nothing.")
DOWNLOAD_TIMEOUT = _DYNAMIC.duration(
    _K + "download-timeout", "10 min", "How long a download may take in all."
)
MIN_SPEED = _DYNAMIC.memory(
    _K + "min-speed",
    "10 kb",
    "Bytes per second that a server has to send on average; 0 sets no bound.",
)
CACHE_SIZE = _STATIC.memory(
    _K + "cache-size", "4 gb", "How much of the disk jars may take, those in use and those kept."
)
MAX_CONCURRENT = _STATIC.integer(
    _K + "max-concurrent-downloads", 8, "How many jars are downloaded at the same time."
)


def all_options() -> tuple[Option[object], ...]:
    """Return every option of this table, in its order."""
    return tuple(value for value in globals().values() if isinstance(value, Option))
