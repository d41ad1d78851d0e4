"""Layers of defaults: operator < namespace < version and later < exact version (`operations.md` 1.5)."""

import re
from collections.abc import Mapping

import attrs

from flinkop.api.flink_version import FlinkVersion
from flinkop.config import options
from flinkop.config.flink_conf import FlinkConf

_VERSION_KEY = re.compile(r"v(\d+)_(\d+)(\+)?\.(.+)", re.ASCII)


@attrs.frozen
class IgnoredDefault:
    """A default for a Flink version that is not known: it has no effect, and somebody should know."""

    key: str
    reason: str


class ConfigLayers:
    """The operator's default configuration, resolved for a namespace and a Flink version.

    Resolving is asked for at every reconcile, so each distinct answer is made once; namespaces without
    defaults of their own share answers. Layers above these belong to `builders.effective_conf`.

    Attributes:
        default: The configuration as loaded, layer 1.
        ignored: Version defaults that name no known version.
    """

    def __init__(self, default: FlinkConf) -> None:
        """Sort the defaults of `default` into layers."""
        self.default = default
        self._namespaces = _by_namespace(default)
        self._from, self._exactly, self.ignored = _by_version(default)
        self._resolved: dict[tuple[str | None, FlinkVersion | None], FlinkConf] = {}

    def effective(
        self, namespace: str | None, flink_version: FlinkVersion | None = None
    ) -> FlinkConf:
        """Return layers 1 to 3; without a version, version defaults are left out."""
        known = namespace if namespace in self._namespaces else None
        found = self._resolved.get((known, flink_version))
        if found is None:
            found = self._resolved[known, flink_version] = self._resolve(known, flink_version)
        return found

    def _resolve(self, namespace: str | None, flink_version: FlinkVersion | None) -> FlinkConf:
        merged = dict(self.default.entries)
        if namespace is not None:
            merged.update(self._namespaces[namespace])
        if flink_version is not None:
            for version in sorted(self._from):
                if version <= flink_version:
                    merged.update(self._from[version])
            merged.update(self._exactly.get(flink_version, {}))
        return FlinkConf.owning(merged)


def _by_namespace(default: FlinkConf) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for rest, value in default.prefix(options.NAMESPACE_DEFAULTS).items():
        namespace, _, key = rest.partition(".")
        if namespace and key:
            found.setdefault(namespace, {})[key] = value
    return found


def _by_version(
    default: FlinkConf,
) -> tuple[
    Mapping[FlinkVersion, dict[str, str]],
    Mapping[FlinkVersion, dict[str, str]],
    tuple[IgnoredDefault, ...],
]:
    known = {(version.major, version.minor): version for version in FlinkVersion}
    starting: dict[FlinkVersion, dict[str, str]] = {}
    exact: dict[FlinkVersion, dict[str, str]] = {}
    ignored = []
    for rest, value in default.prefix(options.VERSION_DEFAULTS).items():
        match = _VERSION_KEY.fullmatch(rest)
        if match is None:
            ignored.append(
                IgnoredDefault(options.VERSION_DEFAULTS + rest, "no version such as v1_20. in it")
            )
            continue
        major, minor, plus, key = match.groups()
        version = known.get((int(major), int(minor)))
        if version is None:
            ignored.append(
                IgnoredDefault(
                    options.VERSION_DEFAULTS + rest, f"Flink v{major}_{minor} is not known"
                )
            )
            continue
        (starting if plus else exact).setdefault(version, {})[key] = value
    return starting, exact, tuple(ignored)
