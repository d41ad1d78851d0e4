"""What changed between the recorded spec and the wanted one, and how much that matters.

Both sides come as wire documents with every known field present (`api.recorded_spec`), so that a
field missing on one side is a null there. Rules: api.md 2.1, behaviour.md 3.2.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, TypeVar

from attrs import frozen

from flinkop.api import codec, quantity
from flinkop.api.common import AbstractSpec
from flinkop.api.flinksessionjob import FlinkSessionJobSpec
from flinkop.config import flatten, sensitive

SpecT = TypeVar("SpecT", bound=AbstractSpec)


class DiffType(IntEnum):
    """Kinds of change in rising order; the greatest decides what a whole edit is."""

    IGNORE = 0
    SCALE = 1
    UPGRADE = 2
    SAVEPOINT_REDEPLOY = 3


@frozen
class Change:
    """One changed leaf: its dotted path, both values, and what the change is."""

    path: str
    before: Any
    after: Any
    type: DiffType


@frozen
class SpecDiff:
    """All changes between two specs; `type` is IGNORE when there are none."""

    kind: str
    changes: tuple[Change, ...]

    @property
    def type(self) -> DiffType:
        """The greatest type among the changes."""
        return max((c.type for c in self.changes), default=DiffType.IGNORE)

    def text(self) -> str:
        """Return the wording of SpecChanged events: `Diff: <Kind>Spec[path : a -> b, ...]`."""
        leaves = (leaf for change in self.changes for leaf in _leaves(change))
        body = ", ".join(
            f"{path} : {_show(path, before)} -> {_show(path, after)}"
            for path, before, after in leaves
        )
        return f"Diff: {self.kind}Spec[{body}]"


# Fields of `spec` in the order the reference walks them; others follow in document order.
_ORDER: Final = (
    "deploymentName",
    "image",
    "imagePullPolicy",
    "serviceAccount",
    "flinkVersion",
    "ingress",
    "podTemplate",
    "jobManager",
    "taskManager",
    "logConfiguration",
    "mode",
    "job",
    "restartNonce",
    "flinkConfiguration",
)
_IGNORED_PATHS: Final = frozenset(
    f"job.{name}"
    for name in (
        "savepointTriggerNonce",
        "checkpointTriggerNonce",
        "initialSavepointPath",
        "upgradeMode",
        "allowNonRestoredState",
        "autoscalerResetNonce",
    )
)
_SCALE_WHEN_STANDALONE: Final = frozenset({"job.parallelism", "taskManager.replicas"})
_NULL_IS_NO_CHANGE: Final = frozenset({"restartNonce", "job.savepointRedeployNonce"})
_CONFIG_PREFIXES: Final = (
    ("job.autoscaler", DiffType.IGNORE),
    ("parallelism.default", DiffType.IGNORE),
    ("kubernetes.operator", DiffType.IGNORE),
    ("pipeline.jobvertex-parallelism-overrides", DiffType.SCALE),
)
_ENVIRONMENT: Final = re.compile(r"\.env\.\d+\.value$", re.ASCII)
_TEMPLATE_NOISE: Final = frozenset({"apiVersion", "kind", "status"})


def diff(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    standalone: bool = False,
    kind: str = "FlinkDeployment",
) -> SpecDiff:
    """Compare two wire documents of a spec; `standalone` is the mode of the cluster."""
    names = [n for n in _ORDER if n in before or n in after]
    names += sorted((set(before) | set(after)) - set(names))
    changes: list[Change] = []
    for name in names:
        old, new = before.get(name), after.get(name)
        if name == "flinkConfiguration":
            changes += _config_changes(old, new, standalone=standalone)
        elif name in ("job", "taskManager") and old is not None and new is not None:
            for member in [*old, *(m for m in new if m not in old)]:
                changes += _field_change(
                    f"{name}.{member}", old.get(member), new.get(member), standalone=standalone
                )
        else:
            changes += _field_change(name, old, new, standalone=standalone)
    return SpecDiff(kind, tuple(changes))


def between(before: SpecT, after: SpecT, *, standalone: bool = False) -> SpecDiff:
    """Compare two specs of one kind."""
    kind = "FlinkSessionJob" if isinstance(after, FlinkSessionJobSpec) else "FlinkDeployment"
    documents = (codec.encode(spec, codec.Omit.NOTHING) for spec in (before, after))
    return diff(*documents, standalone=standalone, kind=kind)


def _field_change(path: str, old: Any, new: Any, *, standalone: bool) -> list[Change]:
    if _same(path, old, new) or (new is None and path in _NULL_IS_NO_CHANGE):
        return []
    if path in _IGNORED_PATHS:
        change = DiffType.IGNORE
    elif path == "job.savepointRedeployNonce":
        change = DiffType.SAVEPOINT_REDEPLOY
    elif path in _SCALE_WHEN_STANDALONE and standalone:
        change = DiffType.SCALE
    else:
        change = DiffType.UPGRADE
    return [Change(path, old, new, change)]


def _config_changes(old: Any, new: Any, *, standalone: bool) -> list[Change]:
    if old == new:
        return []
    before, after = flatten.flatten(old or {}), flatten.flatten(new or {})
    return [
        Change(
            f"flinkConfiguration.{key}",
            before.get(key),
            after.get(key),
            _config_type(key, standalone),
        )
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _config_type(key: str, standalone: bool) -> DiffType:  # noqa: FBT001 - private
    for prefix, change in _CONFIG_PREFIXES:
        if key.startswith(prefix):
            return DiffType.UPGRADE if standalone and change is DiffType.SCALE else change
    return DiffType.UPGRADE


def _same(path: str, old: Any, new: Any) -> bool:
    if old == new:
        return True
    last = path.rpartition(".")[2]
    if last == "args":
        return bool((old or []) == (new or []))
    if last == "podTemplate":
        return _same_template(old, new)
    if path in ("jobManager", "taskManager") and old is not None and new is not None:
        return all(_same(f"{path}.{m}", old.get(m), new.get(m)) for m in {*old, *new})
    if last == "resources":
        return _same_resources(old, new)
    return False


def _same_template(old: Any, new: Any) -> bool:
    """A template's `apiVersion`, `kind` and `status` do not count; nor do empty lists and maps."""
    if old is None or new is None:
        return False
    left, right = (
        _pruned({k: v for k, v in template.items() if k not in _TEMPLATE_NOISE})
        for template in (old, new)
    )
    return bool(left == right)


_QUANTITY_MAPS: Final = frozenset({"limits", "requests", "overhead"})
_QUANTITIES: Final = frozenset({"sizeLimit", "divisor"})
_STRING_MAPS: Final = _QUANTITY_MAPS | {
    "labels",
    "annotations",
    "nodeSelector",
    "matchLabels",
    "volumeAttributes",
    "options",
}


def _pruned(value: Any, name: str = "") -> Any:
    """Drop what the Kubernetes model treats as absent; equal quantities become equal texts."""
    if isinstance(value, Mapping):
        if name in _QUANTITY_MAPS:
            return {k: _normal_quantity(v) for k, v in value.items()}
        kept = {k: _pruned(v, k) for k, v in value.items()}
        return {
            k: v
            for k, v in kept.items()
            if v is not None and v != [] and not (v == {} and k in _STRING_MAPS)
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_pruned(v) for v in value]
    return _normal_quantity(value) if name in _QUANTITIES and value is not None else value


def _same_resources(old: Any, new: Any) -> bool:
    if old is None or new is None:
        return False
    return all(
        {k: _normal_quantity(v) for k, v in (old.get(section) or {}).items()}
        == {k: _normal_quantity(v) for k, v in (new.get(section) or {}).items()}
        for section in ("requests", "limits")
    ) and (old.get("claims") or []) == (new.get("claims") or [])


def _normal_quantity(value: Any) -> Any:
    try:
        return quantity.parse_quantity(str(value))
    except ValueError:
        return str(value)


def _leaves(change: Change) -> Iterator[tuple[str, Any, Any]]:
    """Break a change of two objects or two lists down to what differs inside, for reading."""
    yield from _walk(change.path, change.before, change.after)


def _walk(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(k for k in after if k not in before)]:
            if before.get(key) != after.get(key):
                yield from _walk(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for i in range(max(len(before), len(after))):
            old = before[i] if i < len(before) else None
            new = after[i] if i < len(after) else None
            if old != new:
                yield from _walk(f"{path}.{i}", old, new)
    else:
        yield path, before, after


def _is_secret(path: str) -> bool:
    """Whether a value must not be told: sensitive options, and what environment variables hold."""
    option = path.startswith("flinkConfiguration.") and sensitive.is_sensitive(path)
    return option or _ENVIRONMENT.search(path) is not None


def _show(path: str, value: Any) -> str:
    if value is None:
        return "null"
    if _is_secret(path):
        return sensitive.HIDDEN
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{..}"
    if isinstance(value, list):
        return "[..]" if value else "[]"
    return str(value)
