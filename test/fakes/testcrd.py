"""A custom resource definition of a test's own, small and quick to install."""

import asyncio
from typing import Any

from fakes.controlplane import unique_name

from flinkop.kube import errors, meta
from flinkop.kube.client import KubeClient
from flinkop.kube.meta import ObjectKey, ResourceType


def new_type() -> ResourceType:
    """A resource type that no other test uses; not installed yet."""
    plural = unique_name("widgets").replace("-", "")
    return ResourceType("flinkop.test", "v1", plural, plural.capitalize())


def body(rt: ResourceType) -> dict[str, Any]:
    """The definition: any spec, any status, status as a subresource."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": meta.CRDS.api_version,
        "kind": meta.CRDS.kind,
        "metadata": {"name": f"{rt.plural}.{rt.group}"},
        "spec": {
            "group": rt.group,
            "scope": "Namespaced" if rt.namespaced else "Cluster",
            "names": {"plural": rt.plural, "singular": rt.plural[:-1], "kind": rt.kind},
            "versions": [
                {
                    "name": rt.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": anything, "status": anything},
                        }
                    },
                }
            ],
        },
    }


async def install(client: KubeClient, rt: ResourceType) -> None:
    """Install the definition and wait until the API server serves it."""
    await client.create(meta.CRDS, None, body(rt))
    while True:
        try:
            await client.list_page(rt)
        except (errors.NotFound, errors.TooManyRequests, errors.ServerError):
            await asyncio.sleep(0.05)
        else:
            return


async def uninstall(client: KubeClient, rt: ResourceType) -> None:
    """Delete the definition and wait until the API server no longer serves it."""
    key = ObjectKey("", f"{rt.plural}.{rt.group}")
    await client.delete(meta.CRDS, key)
    while True:
        try:
            await client.get(meta.CRDS, key)
        except errors.NotFound:
            return
        await asyncio.sleep(0.05)


def widget(rt: ResourceType, namespace: str, name: str, **spec: Any) -> dict[str, Any]:
    """One object of the type."""
    return {
        "apiVersion": rt.api_version,
        "kind": rt.kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": spec,
    }
