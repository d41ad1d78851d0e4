"""From a host to the addresses that may be connected to, looked up once and connected to exactly.

A name that changes its address between the check and the connection gains nothing: the connector gets
the addresses that were checked, and its sockets go to no other.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from flinkop.artifacts import errors, policy
from flinkop.artifacts.networks import Address
from flinkop.artifacts.terms import Terms

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses as text; raises OSError when there are none."""

AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system for the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Dialer(AbstractResolver):
    """Looks hosts up under the terms of one fetch, and connects to what it found."""

    def __init__(self, look_up: LookUp, terms: Terms) -> None:
        self._look_up = look_up
        self._terms = terms
        self._checked: dict[str, tuple[Address, ...]] = {}

    async def check(self, host: str, port: int, where: str) -> None:
        """Look a host up; connections to it go to what is found now.

        Raises:
            Unreachable: it has no address.
            RefusedHost: one of its addresses is not allowed.
        """
        literal = policy.address_of(host)
        found = (literal,) if literal is not None else await self._found(host, port, where)
        policy.check_addresses(host, found, where, self._terms)
        self._checked[host] = tuple(found)

    def connector(self, trust: ssl.SSLContext) -> aiohttp.TCPConnector:
        """Return a connector that goes where this dialer has checked, and keeps no connection."""
        return aiohttp.TCPConnector(
            resolver=self,
            use_dns_cache=False,
            force_close=True,
            ssl=trust,
            socket_factory=self._socket,
        )

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - of either, as found
    ) -> list[ResolveResult]:
        """Return the checked addresses; the connector's way to them."""
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,  # noqa: PLR2004
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._checked.get(host, ())
        ]

    async def close(self) -> None:
        """Nothing is kept."""

    async def _found(self, host: str, port: int, where: str) -> tuple[Address, ...]:
        try:
            async with asyncio.timeout(self._terms.connect_timeout):
                texts = await self._look_up(host, port)
        except TimeoutError:
            reason = f"the look-up took longer than {self._terms.connect_timeout:g} s"
        except (OSError, UnicodeError) as error:  # names that are none fail to be encoded
            reason = getattr(error, "strerror", None) or str(error)
        else:
            return tuple(ipaddress.ip_address(text.partition("%")[0]) for text in texts)
        raise errors.Unreachable(
            where,
            f"host {host} cannot be resolved: {reason}",
            "Mend the name in jarURI, or the name service of the operator's pod. It is tried again.",
        )

    def _socket(self, info: AddressInfo) -> socket.socket:
        """Make the socket of a connection; the last look at where it goes."""
        family, kind, protocol, _, target = info
        address = policy.address_of(target[0])
        if not any(address in found for found in self._checked.values()):
            raise OSError(f"{target[0]} was not checked")
        return socket.socket(family, kind, protocol)
