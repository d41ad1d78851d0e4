"""Reads key stores in the three forms that Flink's users have: PEM, PKCS12 and Java's JKS.

The form is told by the content, not by the file's name: a `.jks` file is often PKCS12 since Java 9.
"""

import hashlib
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import frozen

from flinkop.flink import errors

_JKS_MAGIC: Final = b"\xfe\xed\xfe\xed"
_PRIVATE, _TRUSTED = 1, 2
_SHA1 = 20
_WHITENER: Final = b"Mighty Aphrodite"


class KeyStoreError(errors.FlinkError):
    """A store that cannot be read; the message says which and why."""


@frozen
class KeyStore:
    """What a store holds.

    Attributes:
        trusted: certificates to trust, PEM.
        key: private key, PEM without a password; None when there is none.
        chain: the key's certificates, own one first, PEM.
    """

    trusted: bytes
    key: bytes | None = None
    chain: bytes = b""


def read(path: Path, password: str = "") -> KeyStore:
    """Read the store at `path`.

    Raises:
        KeyStoreError: it cannot be opened, its form is unknown, or the password is wrong.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_JKS_MAGIC):
            return _jks(content, password)
        if b"-----BEGIN " in content:
            return _pem(content, password)
        return _pkcs12(content, password)
    except (OSError, ValueError, struct.error, ImportError, TypeError) as error:
        raise KeyStoreError(f"key store {path}: {error}") from error


def _pem(content: bytes, password: str) -> KeyStore:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only with TLS

    start = content.find(b"-----BEGIN CERTIFICATE-----")
    certificates = b"" if start < 0 else content[start:]
    if b"PRIVATE KEY-----" not in content:
        return KeyStore(certificates)
    secret = password.encode() if b"ENCRYPTED" in content else None
    key = serialization.load_pem_private_key(content, secret)
    return KeyStore(certificates, _key_pem(key), certificates)


def _pkcs12(content: bytes, password: str) -> KeyStore:
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs12  # noqa: PLC0415

    found = pkcs12.load_pkcs12(content, password.encode() or None)
    others = [one.certificate.public_bytes(Encoding.PEM) for one in found.additional_certs]
    if found.key is None or found.cert is None:
        own = [] if found.cert is None else [found.cert.certificate.public_bytes(Encoding.PEM)]
        return KeyStore(b"".join(own + others))
    chain = b"".join([found.cert.certificate.public_bytes(Encoding.PEM), *others])
    return KeyStore(b"".join(others) or chain, _key_pem(found.key), chain)


def _key_pem(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined,no-any-return]


# --- JKS: not ASN.1, but a few length-prefixed fields, a digest, and keys hidden by a SHA-1 stream


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._content[self._at : self._at + count]
        if len(part) < count:
            raise ValueError("ends too early")
        self._at += count
        return part

    def number(self) -> int:
        return int.from_bytes(self.take(4))

    def text(self) -> str:
        return self.take(int.from_bytes(self.take(2))).decode()

    def block(self) -> bytes:
        return self.take(self.number())


def _jks(content: bytes, password: str) -> KeyStore:
    body, digest = content[:-_SHA1], content[-_SHA1:]
    secret = password.encode("utf-16-be")
    if password and hashlib.sha1(secret + _WHITENER + body).digest() != digest:  # noqa: S324 - the format's
        raise ValueError("the password is wrong, or the store is damaged")
    reader = _Reader(body)
    reader.take(4)
    version = reader.number()
    trusted: list[bytes] = []
    key, chain = None, b""
    for _ in range(reader.number()):
        kind = reader.number()
        reader.text()  # alias
        reader.take(8)  # date
        if kind == _TRUSTED:
            trusted.append(_certificate(reader, version))
        elif kind == _PRIVATE:
            hidden = reader.block()
            certificates = [_certificate(reader, version) for _ in range(reader.number())]
            key, chain = _unhide(hidden, secret), b"".join(certificates)
        else:
            raise ValueError(f"entry of unknown kind {kind}")
    return KeyStore(b"".join(trusted) or chain, key, chain)


def _certificate(reader: _Reader, version: int) -> bytes:
    if version > 1:
        reader.text()  # X.509
    return ssl.DER_cert_to_PEM_cert(reader.block()).encode()


def _unhide(hidden: bytes, secret: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    outer = _Der(hidden)
    outer.enter()  # EncryptedPrivateKeyInfo
    outer.skip()  # algorithm
    data = outer.octets()
    salt, body, check = data[:_SHA1], data[_SHA1:-_SHA1], data[-_SHA1:]
    stream = b"".join(_stream(secret, salt, len(body)))
    plain = bytes(a ^ b for a, b in zip(body, stream, strict=False))
    if hashlib.sha1(secret + plain).digest() != check:  # noqa: S324 - the format's
        raise ValueError("the key's password is not the store's")
    return _key_pem(serialization.load_der_private_key(plain, None))


def _stream(secret: bytes, salt: bytes, size: int) -> Iterator[bytes]:
    for _ in range(-(-size // _SHA1)):
        salt = hashlib.sha1(secret + salt).digest()  # noqa: S324 - the format's
        yield salt


class _Der:
    """Just enough DER to walk over three elements."""

    def __init__(self, content: bytes) -> None:
        self._reader = _Reader(content)

    def enter(self) -> None:
        self._head()

    def skip(self) -> None:
        self._reader.take(self._head())

    def octets(self) -> bytes:
        return self._reader.take(self._head())

    def _head(self) -> int:
        self._reader.take(1)  # tag
        size = self._reader.take(1)[0]
        return int.from_bytes(self._reader.take(size & 0x7F)) if size & 0x80 else size
