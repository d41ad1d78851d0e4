"""Pod templates: the common one merged with a role's own (`kubernetes-objects.md` 3).

Templates are plain dictionaries from the spec and never changed: whatever is merged is a copy. Files
named by `kubernetes.pod-template-file.*` are not read; nearly always the reference replaces them too.
"""

from collections.abc import Mapping
from typing import Any

from flinkop.api.common import Resource, ResourceRequirements
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import MAIN_CONTAINER
from flinkop.config import flink_options, options
from flinkop.config.flink_conf import FlinkConf

Template = dict[str, Any]

_STARTUP_FAILURES = 2_147_483_647


def jobmanager_template(spec: FlinkDeploymentSpec, conf: FlinkConf) -> Template:
    """Return the JobManager's template: merged, with extra resources and the startup probe (3.2).

    With the host's network the main container has no named ports, so the probe asks by number; the
    reference asks by a name that does not exist there, and its pods never become ready.
    """
    own = spec.job_manager
    merged = _merged(spec, own.pod_template if own else None, conf, "spec.jobManager.podTemplate")
    template = merged if merged is not None else {}
    if own:
        add_resources(template, own.resource, own.resources)
    if conf.get(options.JM_STARTUP_PROBE_ENABLED):
        main = main_container(template)
        if "startupProbe" not in main:
            by_number = conf.get(flink_options.HOST_NETWORK)
            main["startupProbe"] = {
                "failureThreshold": _STARTUP_FAILURES,
                "periodSeconds": 1,
                "httpGet": {
                    "path": "/config",
                    "port": conf.get(flink_options.REST_PORT) if by_number else "rest",
                },
            }
    return template


def taskmanager_template(spec: FlinkDeploymentSpec, conf: FlinkConf) -> Template | None:
    """Return the TaskManagers' template, or None when there is none."""
    own = spec.task_manager
    template = _merged(
        spec, own.pod_template if own else None, conf, "spec.taskManager.podTemplate"
    )
    if own is None:
        return template
    made = template if template is not None else {}
    if add_resources(made, own.resource, own.resources):
        return made
    return template


def _merged(
    spec: FlinkDeploymentSpec, own: Mapping[str, Any] | None, conf: FlinkConf, path: str
) -> Template | None:
    if spec.pod_template is None and own is None:
        return None
    if spec.pod_template is not None:
        check(spec.pod_template, "spec.podTemplate")
    if own is not None:
        check(own, path)
    return merge(spec.pod_template, own, by_name=conf.get(options.MERGE_ARRAYS_BY_NAME))


def add_resources(
    template: Template, resource: Resource | None, resources: ResourceRequirements | None
) -> bool:
    """Put what is neither CPU nor memory into the main container; tell whether there was any."""
    if resources is not None and resources.in_effect:
        found = {
            "requests": _extra(resources.requests),
            "limits": _extra(resources.limits),
        }
    elif resource is not None and (resource.ephemeral_storage or "").strip():
        storage = {"ephemeral-storage": resource.ephemeral_storage}
        found = {"requests": storage, "limits": storage}
    else:
        return False
    if not any(found.values()):
        return False
    existing = main_container(template).setdefault("resources", {})
    for section, entries in found.items():
        if entries:
            existing.setdefault(section, {}).update(entries)
    return True


def _extra(entries: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: str(q) for name, q in (entries or {}).items() if name not in ("cpu", "memory")}


def main_container(template: Template) -> dict[str, Any]:
    """Return the main container of a template of ours, added last when it has none."""
    containers: list[dict[str, Any]] = template.setdefault("spec", {}).setdefault("containers", [])
    for container in containers:
        if container.get("name") == MAIN_CONTAINER:
            return container
    containers.append({"name": MAIN_CONTAINER})
    return containers[-1]


_OBJECTS = (
    "metadata",
    "metadata.labels",
    "metadata.annotations",
    "spec",
    "spec.nodeSelector",
)
_LISTS = ("spec.volumes", "spec.tolerations", "spec.imagePullSecrets", "spec.initContainers")
_CONTAINER_OBJECTS = ("resources", "resources.requests", "resources.limits")
_CONTAINER_LISTS = ("env", "ports", "volumeMounts", "command", "args")


def check(template: Any, path: str) -> None:
    """Refuse a template whose parts have other types than Kubernetes gives them.

    Only what is merged or added to is looked at; the API server judges the rest.

    Args:
        template: A pod template of the spec.
        path: What to call it in errors, such as `spec.podTemplate`.

    Raises:
        BuildError: a part is no object or no list of objects.
    """
    _check_type(template, Mapping, path)
    for name in _OBJECTS:
        _check_part(template, name, Mapping, path)
    for name in _LISTS:
        _check_objects(_check_part(template, name, list, path), f"{path}.{name}")
    containers = _check_part(template, "spec.containers", list, path)
    _check_objects(containers, f"{path}.spec.containers")
    for index, container in enumerate(containers or ()):
        where = f"{path}.spec.containers[{index}]"
        for name in _CONTAINER_OBJECTS:
            _check_part(container, name, Mapping, where)
        for name in _CONTAINER_LISTS:
            _check_part(container, name, list, where)


def _check_part(node: Mapping[str, Any], name: str, kind: type, path: str) -> Any:
    part: Any = node
    for step in name.split("."):
        part = part.get(step)
        if part is None:
            return None
    _check_type(part, kind, f"{path}.{name}")
    return part


def _check_objects(items: list[Any] | None, path: str) -> None:
    for index, item in enumerate(items or ()):
        _check_type(item, Mapping, f"{path}[{index}]")


def _check_type(node: Any, kind: type, path: str) -> None:
    if not isinstance(node, kind):
        expected = "a list" if kind is list else "an object"
        raise BuildError(f"{path} is not {expected}, but {node!r:.60}. Write it as for a Pod.")


def merge(
    common: Mapping[str, Any] | None, specific: Mapping[str, Any] | None, *, by_name: bool
) -> Template:
    """Return a new template: `specific` laid over `common` (3.1).

    Nulls and empty lists count as absent. Objects merge; scalars of `specific` win; lists merge by
    position, where scalars of `common` stay. With `by_name`, lists whose items all have a name merge by
    name instead.
    """
    left = {} if common is None else _clean_object(common)
    if specific is not None:
        _merge_object(left, _clean_object(specific), by_name=by_name)
    return left


def _clean_object(node: Mapping[str, Any]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for key, value in node.items():
        if isinstance(value, Mapping):
            cleaned[key] = _clean_object(value)
        elif isinstance(value, list | tuple):
            if value:
                cleaned[key] = _clean_list(value)
        elif value is not None:
            cleaned[key] = value
    return cleaned


def _clean_list(node: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [
        _clean_object(item)
        if isinstance(item, Mapping)
        else _clean_list(item)
        if isinstance(item, list | tuple)
        else item
        for item in node
    ]


def _merge_object(into: dict[str, Any], other: dict[str, Any], *, by_name: bool) -> None:
    for key, value in other.items():
        present = into.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge_object(present, value, by_name=by_name)
        elif isinstance(present, list) and isinstance(value, list):
            into[key] = _merge_lists(present, value, by_name=by_name)
        else:
            into[key] = value


def _merge_lists(into: list[Any], other: list[Any], *, by_name: bool) -> list[Any]:
    if by_name and _all_named(into) and _all_named(other):
        named = {item["name"]: item for item in into}
        for name, item in {item["name"]: item for item in other}.items():
            if name in named:
                _merge_object(named[name], item, by_name=by_name)
            else:
                named[name] = item
        return list(named.values())
    for index, item in enumerate(other):
        if index >= len(into):
            into.append(item)
        elif isinstance(into[index], dict) and isinstance(item, dict):
            _merge_object(into[index], item, by_name=by_name)
    return into


def _all_named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and "name" in item for item in items)
