"""What may be fetched at all, judged before anything is asked on the network; pure (`api.md` 4.3, S4, S5)."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from flinkop.artifacts import errors, networks, uri
from flinkop.artifacts.networks import Address
from flinkop.artifacts.terms import Terms
from flinkop.artifacts.uri import JarUri
from flinkop.config import artifact_options, options

WEB: Final = frozenset({"http", "https"})
LOCAL: Final = frozenset({"file", "local"})


def admit(text: str, terms: Terms) -> JarUri:
    """Read a jarURI and judge all that needs no look-up; addresses of names are judged when it is fetched.

    Raises:
        InvalidUri: it cannot be read, or lacks its host or path.
        RefusedScheme: its scheme is not allowed.
        RefusedHost: its host is an address that is not allowed.
    """
    read = uri.parse(text)
    check_scheme(read.scheme, read.shown, terms)
    if read.scheme in LOCAL:
        _check_local(read)
    elif not read.host:
        raise errors.InvalidUri(
            read.shown, "it must include a host", "Write jarURI as scheme://host/path/of/the.jar."
        )
    if read.scheme in WEB:
        literal = address_of(read.host)
        if literal is not None:
            check_addresses(read.host, [literal], read.shown, terms)
    return read


def check_scheme(scheme: str, where: str, terms: Terms, step: str = "its") -> None:
    """Refuse a scheme that is not allowed.

    Raises:
        RefusedScheme: it is not.
    """
    if scheme in terms.allowed_schemes:
        return
    allowed = ", ".join(sorted(terms.allowed_schemes)) or "none"
    raise errors.RefusedScheme(
        where,
        f"{step} scheme '{scheme}' is not in the allowlist ({allowed})",
        f"Use another, or have it added to the operator's {options.ARTIFACTS_ALLOWED_SCHEMES.key}.",
    )


def check_addresses(host: str, addresses: Iterable[Address], where: str, terms: Terms) -> None:
    """Refuse a host of whose addresses one is not allowed: nobody could tell which would be used.

    Raises:
        RefusedHost: one is not.
    """
    for address in addresses:
        word = networks.refusal(
            address,
            allowed=terms.allowed_networks,
            disallow_restricted=terms.disallow_restricted_hosts,
        )
        if word is None:
            continue
        article = "an" if word == "unspecified" else "a"
        raise errors.RefusedHost(
            where,
            f"host {host} resolves to a restricted address, {address} ({article} {word} address)",
            "Use a public server, or have the address range added to the operator's "
            f"{artifact_options.ALLOWED_NETWORKS.key}.",
        )


def address_of(host: str) -> Address | None:
    """Return the address that a host is written as; None for a name."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _check_local(read: JarUri) -> None:
    if read.host:
        raise errors.InvalidUri(
            read.shown,
            f"'{read.host}' stands where a host would",
            f"Write three slashes, {read.scheme}:///path/of/the.jar.",
        )
    if not read.path.startswith("/") or "\0" in read.path:
        raise errors.InvalidUri(
            read.shown,
            "its path is not absolute",
            f"Write {read.scheme}:///path/of/the.jar.",
        )
