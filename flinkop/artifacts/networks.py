"""Which addresses jars may come from (`api.md` 4.3, S5): those of the public Internet, and what options add.

Wider than the reference's rule, which looks at the first address only and knows fewer ranges: shared
and unique local addresses, in which clusters put pods and Services, count as private here, and an IPv4
address counts however it is wrapped into an IPv6 one.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from flinkop.config.artifact_options import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The standard library's `is_private` and `is_global` changed their minds within 3.11 and 3.12: tables of our own.
_METADATA: Final = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # most clouds
        "169.254.170.2",  # credentials of ECS tasks
        "169.254.170.23",  # credentials of EKS pods
        "168.63.129.16",  # Azure, a public address
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
    )
)
_KINDS: Final[tuple[tuple[Network, str], ...]] = tuple(
    (ipaddress.ip_network(text), kind)
    for kind, texts in {
        "unspecified": ("0.0.0.0/8", "::/128"),
        "loopback": ("127.0.0.0/8", "::1/128"),
        "link-local": ("169.254.0.0/16", "fe80::/10"),
        "private": (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
            *("100.64.0.0/10", "fc00::/7", "fec0::/10", "64:ff9b:1::/48"),
        ),
        "multicast": ("224.0.0.0/4", "ff00::/8"),
        "documentation": (
            *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),
            *("2001:db8::/32", "3fff::/20"),
        ),
        "tunnel": ("2001::/32", "2002::/16", "192.88.99.0/24"),
        "reserved": ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "2001::/23"),
    }.items()
    for text in texts
)
_PUBLIC_V6: Final = ipaddress.ip_network("2000::/3")
_WRAPPERS: Final = tuple(
    ipaddress.ip_network(text) for text in ("::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
"""IPv6 ranges whose last 32 bits are an IPv4 address that packets end up at."""


def unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, any other as it is."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in one for one in _WRAPPERS):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def kind(address: Address) -> str | None:
    """Return what kind of restricted address it is, in a word; None for a public one."""
    address = unwrapped(address)
    if address in _METADATA:
        return "metadata"
    for network, word in _KINDS:
        if address in network:
            return word
    if isinstance(address, ipaddress.IPv6Address) and address not in _PUBLIC_V6:
        return "reserved"
    return None


def refusal(
    address: Address, *, allowed: Iterable[Network] = (), disallow_restricted: bool = True
) -> str | None:
    """Return why jars may not come from `address`, in a word; None when they may.

    Args:
        address: where a connection would go.
        allowed: ranges that are allowed whatever they are.
        disallow_restricted: whether restricted addresses are refused. Addresses of metadata services,
            which hand out credentials, are refused even without, unless `allowed` has them.
    """
    word = kind(address)
    if word is None or (word != "metadata" and not disallow_restricted):
        return None
    if any(unwrapped(address) in one or address in one for one in allowed):
        return None
    return word
