"""Where a cluster's REST endpoint is (`behaviour.md` S-1, design 11)."""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from flinkop.flink.tls import Stores

DEFAULT_PORT: Final = 8081


@frozen
class Cluster:
    """A Flink cluster as its callers name it.

    Attributes:
        namespace: Kubernetes namespace.
        name: cluster id, which is the FlinkDeployment's name.
        port: `rest.port`.
        tls: `security.ssl.rest.enabled`.
        stores: what TLS trusts and shows; None is the system's trust.
    """

    namespace: str
    name: str
    port: int = DEFAULT_PORT
    tls: bool = False
    stores: Stores | None = None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


Address = Callable[[Cluster], str]
"""Gives the base URL of a cluster, without a trailing slash."""


def in_cluster(cluster: Cluster) -> str:
    """Return the address of the cluster's REST Service, as seen from a pod."""
    scheme = "https" if cluster.tls else "http"
    return f"{scheme}://{cluster.name}-rest.{cluster.namespace}:{cluster.port}"


class Template:
    """An address made from a text with `{namespace}`, `{name}`, `{port}` and `{scheme}`.

    Example: `http://127.0.0.1:8099/{namespace}/{name}` for the simulator, or an ingress.
    """

    def __init__(self, text: str) -> None:
        """Check the text.

        Raises:
            ValueError: another placeholder is used, or the text is no http(s) address.
        """
        self._text = text.rstrip("/")
        try:
            probe = self(Cluster("ns", "name"))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"address template {text!r}: only {{namespace}}, {{name}}, {{port}} and {{scheme}} are known"
            ) from error
        if not probe.startswith(("http://", "https://")):
            raise ValueError(f"address template {text!r}: must start with http:// or https://")

    def __repr__(self) -> str:
        return f"Template({self._text!r})"

    def __call__(self, cluster: Cluster) -> str:
        """Return the address of `cluster`."""
        return self._text.format(
            namespace=cluster.namespace,
            name=cluster.name,
            port=cluster.port,
            scheme="https" if cluster.tls else "http",
        )
