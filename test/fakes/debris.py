"""What is collected of a scenario that failed: the namespace's objects, its pods' logs, the operator's."""

from pathlib import Path
from typing import Final

import yaml
from fakes.apiuser import ApiUser, Refused
from fakes.leanapi import CRS

_KINDS: Final = {
    "flinkdeployments": CRS,
    "flinksessionjobs": CRS,
    "flinkstatesnapshots": CRS,
    "deployments": "/apis/apps/v1",
    "pods": "/api/v1",
    "services": "/api/v1",
    "configmaps": "/api/v1",
    "events": "/api/v1",
}


def collect(api: ApiUser, namespace: str, folder: Path) -> None:
    """Write what there is in a namespace into `folder`: `<kind>.yaml`, `<pod>.log`, `<pod>.former.log`."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, group in _KINDS.items():
        found = api.list(f"{group}/namespaces/{namespace}/{kind}")
        for item in found.values():
            item["metadata"].pop("managedFields", None)
            item.pop("binaryData", None)
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump_all(found.values(), sort_keys=False))
    pods = f"/api/v1/namespaces/{namespace}/pods"
    for pod in api.list(pods):
        _write_log(api, f"{pods}/{pod}/log", folder / f"{pod}.log")
        _write_log(api, f"{pods}/{pod}/log?previous=true", folder / f"{pod}.former.log")


def _write_log(api: ApiUser, path: str, file: Path) -> None:
    try:
        file.write_text(api.text(path))
    except Refused:
        return  # It has not run, or was not started anew.
