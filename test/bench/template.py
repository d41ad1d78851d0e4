"""The objects an operator made for one resource, kept as bytes to be made again under other names."""

from pathlib import Path
from typing import Any

import attrs
import msgspec
from bench.resources import NAMESPACE
from fakes.leanapi import APPS, CRS, Api

CAPTURED = "bench-template"
"""The name of the resource the objects are copied from: a word that occurs nowhere else."""

_DEPLOYMENT_UID = "00000000-0000-4000-8000-00000000dddd"
_RESOURCE_UID = "00000000-0000-4000-8000-00000000ffff"
_SERVER_SIDE = (
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "managedFields",
    "selfLink",
)
_ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
_CORE = f"/api/v1/namespaces/{NAMESPACE}"


@attrs.frozen
class Template:
    """What was captured.

    Attributes:
        deployment: the JobManager Deployment.
        owned: path and body of each object the Deployment owns.
        state: the status when STABLE.
    """

    deployment: bytes
    owned: list[tuple[str, bytes]]
    state: dict[str, Any]

    @classmethod
    async def capture(cls, api: Api) -> "Template":
        """Read what was made for the resource named CAPTURED, without what the server added."""
        resource = await api.get(f"{CRS}/namespaces/{NAMESPACE}/flinkdeployments/{CAPTURED}")
        path = f"{APPS}/namespaces/{NAMESPACE}/deployments/{CAPTURED}"
        deployment = await api.get(path)
        uids = {
            resource["metadata"]["uid"]: _RESOURCE_UID,
            deployment["metadata"]["uid"]: _DEPLOYMENT_UID,
        }
        owned = []
        for plural in ("configmaps", "services"):
            listed = await api.get(f"{_CORE}/{plural}")
            for item in listed["items"]:
                owners = item["metadata"].get("ownerReferences", [])
                if any(owner["uid"] == deployment["metadata"]["uid"] for owner in owners):
                    owned.append((f"{_CORE}/{plural}", as_written(item, uids)))
        return cls(as_written(deployment, uids), owned, resource["status"])

    def save(self, path: Path) -> None:
        """Write it for the bare client's process."""
        path.write_bytes(
            msgspec.json.encode(
                {
                    "deployment": self.deployment.decode(),
                    "owned": [(place, body.decode()) for place, body in self.owned],
                    "state": self.state,
                }
            )
        )

    @classmethod
    def load(cls, path: Path) -> "Template":
        """Read what `save` wrote."""
        raw = msgspec.json.decode(path.read_bytes())
        owned = [(place, body.encode()) for place, body in raw["owned"]]
        return cls(raw["deployment"].encode(), owned, raw["state"])

    def for_resource(self, name: str, uid: str) -> "Made":
        """The same objects for another resource."""
        return Made(self, name, uid)


@attrs.frozen
class Made:
    """The objects of one resource, as bodies ready to be sent."""

    template: Template
    name: str
    uid: str

    @property
    def deployment(self) -> tuple[str, bytes]:
        """Path and body of the JobManager Deployment."""
        return f"{APPS}/namespaces/{NAMESPACE}/deployments", self._named(self.template.deployment)

    def owned_by(self, deployment_uid: str) -> list[tuple[str, bytes]]:
        """Path and body of each object the Deployment owns."""
        uid = deployment_uid.encode()
        return [
            (path, self._named(body).replace(_DEPLOYMENT_UID.encode(), uid))
            for path, body in self.template.owned
        ]

    def status(self, lifecycle: str, generation: int) -> bytes:
        """A merge patch of the status, as large as the operator's own."""
        state = {
            **self.template.state,
            "lifecycleState": lifecycle,
            "observedGeneration": generation,
        }
        return self._named(msgspec.json.encode({"status": state}))

    def event(self, reason: str, generation: int) -> bytes:
        """An Event about the resource, in the operator's own form; one for each generation."""
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{reason}.{self.name}.{generation}", "namespace": NAMESPACE},
            "involvedObject": {
                "apiVersion": "flink.apache.org/v1beta1",
                "kind": "FlinkDeployment",
                "name": self.name,
                "namespace": NAMESPACE,
                "uid": self.uid,
            },
            "type": "Normal",
            "reason": reason,
            "message": f"{reason} of {self.name}",
            "source": {"component": "JobManagerDeployment"},
            "firstTimestamp": "2030-01-01T00:00:00Z",
            "lastTimestamp": "2030-01-01T00:00:00Z",
            "count": 1,
        }
        return msgspec.json.encode(body)

    def _named(self, body: bytes) -> bytes:
        named = body.replace(CAPTURED.encode(), self.name.encode())
        return named.replace(_RESOURCE_UID.encode(), self.uid.encode())


def as_written(item: dict[str, Any], uids: dict[str, str]) -> bytes:
    """An object without status and server-side fields, uids exchanged for place holders."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _SERVER_SIDE}
    body = {**item, "metadata": metadata}
    body.pop("status", None)
    if "clusterIP" in item.get("spec", {}):  # a Service; items of a list do not tell their kind
        headless = item["spec"]["clusterIP"] == "None"
        spec = {key: value for key, value in item["spec"].items() if key not in _ADDRESSES}
        body["spec"] = {**spec, "clusterIP": "None"} if headless else spec
    encoded = msgspec.json.encode(body)
    for uid, place in uids.items():
        encoded = encoded.replace(uid.encode(), place.encode())
    return encoded
