"""Packs a root file system as an OCI archive: the same bytes for the same files."""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from pathlib import Path
from typing import Any, Final

from hack.image import rootfs

SOURCE_LABELS: Final = {
    "org.opencontainers.image.title": "flinkop",
    "org.opencontainers.image.description": "A Kubernetes operator for Apache Flink",
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.base.name": f"debian:{rootfs.RELEASE}",
}
ENVIRONMENT: Final = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PYTHONDONTWRITEBYTECODE=1",
    "PYTHONUNBUFFERED=1",
    "FLINK_HOME=/opt/flink",
    "FLINK_PLUGINS_DIR=/opt/flink/plugins",
    "OPERATOR_LIB=/opt/flink/operator-lib",
)
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_OCI: Final = "application/vnd.oci.image"
_LAYERS: Final = (
    ("system", lambda path: not path.startswith(rootfs.SITE)),
    ("libraries", lambda path: path.startswith(rootfs.SITE) and not _is_own(path)),
    ("flinkop", lambda path: path.startswith(rootfs.SITE) and _is_own(path)),
)
"""Own code last: a new version changes the small layer only."""


def write(target: Path, out: Path, name: str, version: str, revision: str) -> int:
    """Write the image of `target` to the archive `out`; return its size in bytes.

    Args:
        target: the root file system.
        out: the archive, for `ctr images import`, `skopeo copy oci-archive:...` and the like.
        name: what the image is called, such as `flinkop:0.1.0`.
        version: of flinkop.
        revision: the commit, empty when it is not known.
    """
    labels = SOURCE_LABELS | {"org.opencontainers.image.version": version}
    if revision:
        labels["org.opencontainers.image.revision"] = revision
    blobs: dict[str, bytes] = {}
    layers, plain = [], []
    for _, belongs in _LAYERS:
        text = layer(target, belongs)
        plain.append("sha256:" + hashlib.sha256(text).hexdigest())
        layers.append(_put(blobs, gzip.compress(text, 9, mtime=0), f"{_OCI}.layer.v1.tar+gzip"))
    config = _put_json(blobs, _config(labels, plain), f"{_OCI}.config.v1+json")
    manifest = _put_json(
        blobs,
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": config,
            "layers": layers,
            "annotations": labels,
        },
        f"{_OCI}.manifest.v1+json",
    )
    manifest["annotations"] = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": [manifest]}
    files = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": _json(index),
        **{f"blobs/sha256/{digest}": blob for digest, blob in sorted(blobs.items())},
    }
    part = out.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    part.rename(out)
    return out.stat().st_size


def layer(target: Path, belongs: Any) -> bytes:
    """Return the tar of those files that belong to it: sorted, of root, without times."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(target.rglob("*")):
            name = str(path.relative_to(target))
            if not belongs(name):
                continue
            info = tar.gettarinfo(path, name)
            info.mtime = info.uid = info.gid = 0
            info.uname = info.gname = ""
            if name.startswith("opt/flink"):
                info.uid = info.gid = rootfs.USER
            if info.islnk():  # by content, since the other name may be in another layer
                info.type, info.linkname = tarfile.REGTYPE, ""
                info.size = path.stat().st_size
            if info.isreg():
                with path.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    return stream.getvalue()


def _is_own(path: str) -> bool:
    return path.startswith(f"{rootfs.SITE}/flinkop")


def _config(labels: dict[str, str], layers: list[str]) -> dict[str, Any]:
    return {
        "architecture": _ARCHITECTURES[platform.machine()],
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": f"{rootfs.USER}:{rootfs.USER}",
            "WorkingDir": "/flink-kubernetes-operator",
            "Env": list(ENVIRONMENT),
            "Entrypoint": ["/docker-entrypoint.sh"],
            "Cmd": ["help"],
            "ExposedPorts": {"8085/tcp": {}},
            "Labels": labels,
        },
        "rootfs": {"type": "layers", "diff_ids": layers},
    }


def _put(blobs: dict[str, bytes], content: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    blobs[digest] = content
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _put_json(blobs: dict[str, bytes], content: Any, media_type: str) -> dict[str, Any]:
    return _put(blobs, _json(content), media_type)


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
