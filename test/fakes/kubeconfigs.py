"""Reading the API server and credentials out of a kubeconfig, and writing one for a proxy in front of it.

For tests: file paths, inline data, tokens and client certificates; no exec plugins.
"""

import base64
import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import yaml


@attrs.frozen
class Upstream:
    """An API server and how to speak to it. `tls` is None for plain HTTP."""

    url: str
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = attrs.field(factory=dict, repr=False)
    namespace: str = "default"


def load(path: Path, context: str | None = None) -> Upstream:
    """Return the upstream of `context` (default: the current one) in the kubeconfig at `path`."""
    config = yaml.safe_load(path.read_text())
    chosen = _named(config["contexts"], context or config["current-context"])["context"]
    cluster = _named(config["clusters"], chosen["cluster"])["cluster"]
    user = _named(config.get("users") or [], chosen.get("user")).get("user") or {}
    headers = {}
    if token := _text(user, "token", "tokenFile", path.parent):
        headers["Authorization"] = f"Bearer {token}"
    elif "username" in user:
        pair = f"{user['username']}:{user.get('password', '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    url = cluster["server"].rstrip("/")
    tls = _tls(cluster, user, path.parent) if url.startswith("https:") else None
    return Upstream(url, tls, headers, chosen.get("namespace", "default"))


def write(path: Path, url: str, namespace: str = "default") -> Path:
    """Write a kubeconfig that points at `url` without credentials; return `path`."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {"server": url}}],
        "users": [{"name": "proxy", "user": {}}],
        "contexts": [
            {
                "name": "proxy",
                "context": {"cluster": "proxy", "user": "proxy", "namespace": namespace},
            }
        ],
    }
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def _named(entries: list[dict[str, Any]], name: str | None) -> dict[str, Any]:
    return next((entry for entry in entries if entry["name"] == name), {})


def _text(section: dict[str, Any], inline: str, file: str, base: Path) -> str:
    if inline in section:
        return str(section[inline])
    return (base / section[file]).read_text().strip() if file in section else ""


def _tls(cluster: dict[str, Any], user: dict[str, Any], base: Path) -> ssl.SSLContext:
    """Return a context that verifies the server as `cluster` says and shows the certificate of `user`."""
    with contextlib.ExitStack() as stack:
        authority = stack.enter_context(_file(cluster, "certificate-authority", base))
        context = ssl.create_default_context(cafile=authority)
        if cluster.get("insecure-skip-tls-verify"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        certificate = stack.enter_context(_file(user, "client-certificate", base))
        key = stack.enter_context(_file(user, "client-key", base))
        if certificate:
            context.load_cert_chain(certificate, key)
    return context


@contextlib.contextmanager
def _file(section: dict[str, Any], key: str, base: Path) -> Iterator[Path | None]:
    """Yield the file named by `key`, or a temporary one with the content of `<key>-data`, or None."""
    if data := section.get(f"{key}-data"):
        with tempfile.NamedTemporaryFile() as temporary:
            temporary.write(base64.b64decode(data))
            temporary.flush()
            yield Path(temporary.name)
    elif key in section:
        yield base / section[key]
    else:
        yield None
