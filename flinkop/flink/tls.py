"""TLS to Flink's REST API: which stores count, and the context made of them (`behaviour.md` S-1).

The operator's own stores, named by its environment, win over those of the cluster's configuration,
whose paths mean files in the JobManager. As Flink's own client does, the certificate is checked
against the trust store, not against the host's name: clusters share certificates, Services have
names of their own.
"""

import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from flinkop.flink import keystore

ENABLED: Final = "security.ssl.rest.enabled"
_AUTHENTICATION: Final = "security.ssl.rest.authentication-enabled"
_KEYSTORE_ENV: Final = "OPERATOR_KEYSTORE_PATH"
_TRUSTSTORE_ENV: Final = "OPERATOR_TRUSTSTORE_PATH"
_PASSWORD_ENV: Final = "OPERATOR_KEYSTORE_PASSWORD"  # noqa: S105 - a variable's name


@frozen
class Stores:
    """Where trust and key come from; hashable, so that contexts can be kept by it.

    Attributes:
        truststore: file of certificates to trust; None is the system's trust.
        truststore_password: its password; empty for none.
        keystore: file of the client's key; None without client authentication.
        keystore_password: its password; empty for none.
    """

    truststore: Path | None = None
    truststore_password: str = ""
    keystore: Path | None = None
    keystore_password: str = ""

    def __repr__(self) -> str:
        return f"Stores(truststore={self.truststore}, keystore={self.keystore})"


def stores_of(configuration: Mapping[str, str], environ: Mapping[str, str]) -> Stores | None:
    """Return the stores for a cluster with this configuration; None when its REST API speaks no TLS."""
    if not _is_true(configuration.get(ENABLED)):
        return None
    mutual = _is_true(configuration.get(_AUTHENTICATION))
    own = environ.get(_TRUSTSTORE_ENV)
    if own and Path(own).is_file():
        password = environ.get(_PASSWORD_ENV, "")
        key = environ.get(_KEYSTORE_ENV)
        return Stores(
            Path(own), password, Path(key) if mutual and key else None, password if mutual else ""
        )
    trust, trust_password = _configured(configuration, "truststore")
    key_file, key_password = _configured(configuration, "keystore") if mutual else (None, "")
    return Stores(trust, trust_password, key_file, key_password)


def _configured(configuration: Mapping[str, str], kind: str) -> tuple[Path | None, str]:
    def option(name: str) -> str:
        rest = configuration.get(f"security.ssl.rest.{name}")
        return rest or configuration.get(f"security.ssl.{name}") or ""

    path = option(kind)
    return (Path(path) if path else None), option(f"{kind}-password")


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() == "true"


class Contexts:
    """Makes a context for stores once, and again when a file has changed."""

    def __init__(self) -> None:
        self._known: dict[Stores, tuple[tuple[float, ...], ssl.SSLContext]] = {}

    def get(self, stores: Stores) -> ssl.SSLContext:
        """Return the context; reads files when they are new or changed.

        Raises:
            KeyStoreError: a store cannot be read.
        """
        stamp = tuple(_changed(path) for path in (stores.truststore, stores.keystore) if path)
        known = self._known.get(stores)
        if known is None or known[0] != stamp:
            self._known[stores] = known = (stamp, context(stores))
        return known[1]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError as error:
        raise keystore.KeyStoreError(f"key store {path}: {error}") from error


def context(stores: Stores) -> ssl.SSLContext:
    """Return a client's context with these stores.

    Raises:
        KeyStoreError: a store cannot be read, or holds nothing of use.
    """
    made = ssl.create_default_context()
    made.check_hostname = False
    if stores.truststore is not None:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        trusted = keystore.read(stores.truststore, stores.truststore_password).trusted
        if not trusted:
            raise keystore.KeyStoreError(f"key store {stores.truststore}: holds no certificate")
        made.load_verify_locations(cadata=trusted.decode())
        # Java trusts what is in the store, a server's own certificate too; so that CAs are not needed
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if stores.keystore is not None:
        found = keystore.read(stores.keystore, stores.keystore_password)
        if found.key is None:
            raise keystore.KeyStoreError(f"key store {stores.keystore}: holds no private key")
        _load_key(made, found.chain + found.key)
    return made


def _load_key(made: ssl.SSLContext, content: bytes) -> None:
    """Hand the key over; the standard library takes it from a file only."""
    with tempfile.NamedTemporaryFile() as file:  # readable by us alone, gone at once
        file.write(content)
        file.flush()
        made.load_cert_chain(file.name)
