"""How the reference names its series: scopes, variables, and what becomes of odd characters.

Names and labels are a contract: dashboards depend on them (operations.md 2.1, 2.2). Pure.
"""

import enum
import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

_ODD: Final = re.compile(r"[^a-zA-Z0-9:_]")


def sanitise(text: str) -> str:
    """Return `text` with every character outside `[a-zA-Z0-9:_]` as `_` (operations.md 2.2)."""
    return _ODD.sub("_", text)


class Scope(enum.Enum):
    """What a series is about; the value is the logical scope in its name (operations.md 2.1)."""

    SYSTEM = "k8soperator"
    NAMESPACE = "k8soperator_namespace"
    RESOURCE = "k8soperator_namespace_resource"


@frozen
class Variables:
    """The labels that every series of this process carries (operations.md 2.1).

    Attributes:
        host: The pod's name.
        namespace: The operator's namespace.
        name: The operator's Deployment, not its pod.
    """

    host: str = "localhost"
    namespace: str = "default"
    name: str = "flink-kubernetes-operator"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Variables":
        """Return the variables of a process with `environment` (operations.md 1.2).

        An empty value counts as given for these three, unlike for any other variable.
        """
        return cls(
            host=environment.get("HOSTNAME", "localhost"),
            namespace=environment.get("OPERATOR_NAMESPACE", "default"),
            name=environment.get("OPERATOR_NAME", "flink-kubernetes-operator"),
        )


def series_name(scope: Scope, path: str) -> str:
    """Return the name of the series for `path`, whose parts are separated by dots."""
    return f"flink_{scope.value}_{'_'.join(map(sanitise, path.split('.')))}"


def series_help(scope: Scope, path: str) -> str:
    """Return the help text of the reference: the metric's own name and the scope it lives in."""
    *groups, metric = path.split(".")
    return f"{metric} (scope: {'_'.join([scope.value, *groups])})"
