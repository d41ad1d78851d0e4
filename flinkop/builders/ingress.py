"""The Ingress of a cluster's web interface (`kubernetes-objects.md` 7.1)."""

import re
import urllib.parse
from typing import Any

from flinkop.api.common import IngressSpec
from flinkop.builders.errors import BuildError, as_build_errors
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf

_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_NAME = re.compile(r"\{\{name\}\}", re.IGNORECASE)
_NAMESPACE = re.compile(r"\{\{namespace\}\}", re.IGNORECASE)
_FIRST_V1 = (1, 19)


def build(
    ingress: IngressSpec,
    identity: ClusterIdentity,
    conf: FlinkConf,
    server_version: tuple[int, int] = _FIRST_V1,
) -> dict[str, Any]:
    """Build the Ingress, namespace and owner included.

    Args:
        ingress: The wish of the spec.
        identity: The resource.
        conf: The cluster's configuration, for the port of its REST Service.
        server_version: Major and minor version of the API server; before 1.19 the Ingress is a v1beta1.

    Raises:
        BuildError: the template is no URL.
    """
    host, path = host_and_path(ingress.template or "", identity)
    with as_build_errors():
        port = conf.get(opt.REST_PORT)
    newer = server_version >= _FIRST_V1
    http_path: dict[str, Any] = {"path": path} if path else {}
    if newer:
        http_path["pathType"] = "ImplementationSpecific"
        http_path["backend"] = {
            "service": {"name": identity.rest_service, "port": {"number": port}}
        }
    else:
        http_path["backend"] = {"serviceName": identity.rest_service, "servicePort": port}
    rule: dict[str, Any] = {"host": host} if host else {}
    rule["http"] = {"paths": [http_path]}
    spec: dict[str, Any] = {"rules": [rule]}
    if ingress.class_name is not None:
        spec["ingressClassName"] = ingress.class_name
    if ingress.tls:
        spec["tls"] = [_tls(entry.hosts, entry.secret_name) for entry in ingress.tls]
    metadata: dict[str, Any] = {
        "name": identity.name,
        "namespace": identity.namespace,
        "labels": {**(ingress.labels or {}), "component": "ingress"},
        "ownerReferences": [identity.owner(controller=True)],
    }
    if ingress.annotations:
        metadata["annotations"] = dict(ingress.annotations)
    return {
        "apiVersion": "networking.k8s.io/v1" if newer else "networking.k8s.io/v1beta1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": spec,
    }


def host_and_path(template: str, identity: ClusterIdentity) -> tuple[str, str]:
    """Return host and path of a URL template with names put in; either may be empty.

    Scheme, port, query and fragment do not count.

    Raises:
        BuildError: the template is no URL.
    """
    url = template if _SCHEME.match(template) else f"http://{template}"
    url = _NAME.sub(lambda _: identity.name, url)
    url = _NAMESPACE.sub(lambda _: identity.namespace, url)
    rest = _SCHEME.sub("", url, count=1)
    authority, slash, tail = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    try:
        # Only what follows the scheme can be wrong: an unclosed bracket, or a port that is no number.
        parsed = urllib.parse.urlsplit(f"http://{authority}")
        _ = parsed.port
    except ValueError as error:
        raise BuildError(
            f"Unable to process the Ingress template({template}). Error: {error}. "
            "Write a host, a path, or both, such as {{name}}.{{namespace}}.example.com."
        ) from None
    host = authority.rpartition("@")[2]
    host = host if host.endswith("]") else re.sub(r":\d*$", "", host)
    return host.strip(), f"{slash}{tail}".strip()


def _tls(hosts: tuple[str, ...] | None, secret_name: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if hosts:
        made["hosts"] = list(hosts)
    if secret_name is not None:
        made["secretName"] = secret_name
    return made
