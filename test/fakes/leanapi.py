"""A lean client of the API server for onlookers: little work per call, so that it disturbs little.

The demo and the benchmark share the machine's cores with what they show and measure. Bodies are
bytes both ways; answers are not decoded unless the caller does it.
"""

import asyncio
import base64
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import aiohttp
import msgspec
import yaml

MERGE = "application/merge-patch+json"
CRS = "/apis/flink.apache.org/v1beta1"
APPS = "/apis/apps/v1"
_LINE = 16 * 1024 * 1024
_OK = 200
_TOO_MANY = 429
_REFUSALS = 120
_VERSION = re.compile(rb'"resourceVersion":"(\d+)"')


class CallError(Exception):
    """An answer other than 2xx; `status` is its HTTP status."""

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{method} {path}: {status} {body[:300].decode(errors='replace')}")
        self.status = status


class Api:
    """Calls and watches over one aiohttp session. Use it as an async context manager."""

    def __init__(self, kubeconfig: Path, connections: int = 32) -> None:
        self.server, self._tls, headers = read_kubeconfig(kubeconfig)
        self._headers = headers
        self._connections = connections

    async def __aenter__(self) -> Self:
        calls = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=75, ssl=self._tls)
        self._session = aiohttp.ClientSession(connector=calls, headers=self._headers)
        streams = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        self._streams = aiohttp.ClientSession(connector=streams, headers=self._headers)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()
        await self._streams.close()

    async def call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        """One request with 30 s for its answer; raises CallError when that is not 2xx."""
        headers = {"Content-Type": kind} if body is not None else {}
        limit = aiohttp.ClientTimeout(total=30)
        url = self.server + path
        async with self._session.request(
            method, url, data=body, headers=headers, timeout=limit
        ) as answer:
            content = await answer.read()
            if answer.status >= 300:
                raise CallError(method, path, answer.status, content)
            return content

    async def get(self, path: str) -> Any:
        """A decoded answer, for the few places where speed is of no matter."""
        return msgspec.json.decode(await self.call("GET", path))

    async def watch(self, path: str) -> AsyncIterator[bytes]:
        """Lines of a watch from now on, for ever; the caller decodes what it needs.

        A stream that ends is resumed after the last line (the server cuts the watches of a CRD
        shortly after that was made, and says 429 for a moment); any other refusal is an error.
        """
        last = b""
        refused = 0
        while refused < _REFUSALS:
            try:
                async for line in self._stream(path, last.decode()):
                    found = _VERSION.search(line)
                    last = found[1] if found else last
                    refused = 0
                    yield line
            except CallError as error:
                if error.status != _TOO_MANY:
                    raise
            refused += 1
            await asyncio.sleep(0.25)
        raise ConnectionError(f"the watch of {path} does not stay open")

    async def _stream(self, path: str, version: str) -> AsyncIterator[bytes]:
        limit = aiohttp.ClientTimeout(total=None, sock_connect=10)
        query = ("&" if "?" in path else "?") + "watch=1&timeoutSeconds=7200"
        if version:
            query += f"&resourceVersion={version}"
        async with self._streams.get(self.server + path + query, timeout=limit) as answer:
            if answer.status != _OK:
                raise CallError("WATCH", path, answer.status, await answer.read())
            while line := await answer.content.readline(max_line_length=_LINE):
                yield line


def leaves(error: BaseException) -> list[BaseException]:
    """The errors inside an exception group at any depth, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for part in error.exceptions for leaf in leaves(part)]
    return [error]


def read_kubeconfig(path: Path) -> tuple[str, ssl.SSLContext | bool, dict[str, str]]:
    """The current context's server, TLS settings and headers."""
    config = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    context = named(config["contexts"], config["current-context"])["context"]
    cluster = named(config["clusters"], context["cluster"])["cluster"]
    user = named(config.get("users") or [], context.get("user")).get("user") or {}
    headers = {"User-Agent": "flinkop-onlooker"}
    if token := user.get("token"):
        headers["Authorization"] = f"Bearer {token}"
    server = cluster["server"].rstrip("/")
    return server, tls(cluster, user) if server.startswith("https") else True, headers


def named(entries: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    """The entry of a kubeconfig list that has this name, or an empty one."""
    return next((entry for entry in entries if entry["name"] == name), {})


def tls(cluster: dict[str, Any], user: dict[str, Any]) -> ssl.SSLContext:
    """A context that trusts the cluster's CA and shows the user's certificate."""
    context = ssl.create_default_context()
    with TemporaryDirectory() as folder:
        if authority := material(cluster, "certificate-authority", Path(folder)):
            context.load_verify_locations(authority)
        if certificate := material(user, "client-certificate", Path(folder)):
            context.load_cert_chain(certificate, material(user, "client-key", Path(folder)))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def material(entry: dict[str, Any], key: str, folder: Path) -> str | None:
    """The file a kubeconfig entry names, or its inline data written to one."""
    if data := entry.get(f"{key}-data"):
        target = folder / key
        target.write_bytes(base64.b64decode(data))
        return str(target)
    found: str | None = entry.get(key)
    return found
