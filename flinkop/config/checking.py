"""What is to be said about a configuration: what cannot be read, is not known, or has no effect.

Pure: a table of options and a configuration in, findings out. `flinkop config check` prints them, the start
and each reload log them.
"""

import difflib
import enum
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from flinkop.config import (
    artifact_options,
    autoscaler_options,
    bluegreen_options,
    errors,
    flink_conf,
    flink_options,
    layers,
    metric_options,
    options,
    reporters,
    sensitive,
    without_effect,
)
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.operator_config import OperatorConfig
from flinkop.config.option import Option, Scope

_NEAR: Final = 0.75
"""How alike two keys have to be for one to be taken for the other."""

_FAMILIES: Final = (
    options.PLUGIN_LISTENERS_PREFIX,
    options.PREFIX + "metrics.",
    *autoscaler_options.FAMILIES,
    *(options.PREFIX + family for family in autoscaler_options.FAMILIES),
)
"""Prefixes behind which keys are free."""


class Level(enum.Enum):
    """How much a finding matters."""

    ERROR = "error"
    """The operator does not start with it, or refuses the resources that it concerns."""
    WARNING = "warning"
    """It does not do what whoever wrote it will expect."""
    NOTE = "note"
    """It works, and there is a better way."""


@attrs.frozen
class Finding:
    """One thing to say about one key; `message` is a sentence that names the key."""

    level: Level
    key: str
    message: str


def own_options() -> tuple[Option[object], ...]:
    """Return all options of the operator, those of parts that are not there yet, too."""
    return (
        *options.all_options(),
        *artifact_options.all_options(),
        *metric_options.all_options(),
        *bluegreen_options.all_options(),
        *autoscaler_options.all_options(),
    )


_OWN: Final[Mapping[str, Option[object]]] = {
    key: one for one in own_options() for key in (one.key, *one.older_keys)
}
_FLINK: Final[Mapping[str, Option[object]]] = {
    key: one for one in flink_options.all_options() for key in (one.key, *one.older_keys)
}
_PREFIXED: Final = tuple(f"{key}." for key, one in _OWN.items() if one.prefixed)


def check(conf: FlinkConf) -> list[Finding]:
    """Return what is to be said about the operator's configuration, errors first, then by key."""
    found = [finding for key in sorted(conf) for finding in _of_entry(conf, key)]
    found += [
        Finding(Level.WARNING, one.key, f"{one.key} has no effect: {one.reason}.")
        for one in layers.ConfigLayers(conf).ignored
    ]
    found += [
        Finding(
            Level.WARNING, key, f"{key} has no effect: there is no {factory.rpartition('.')[2]}."
        )
        for key, factory in reporters.ignored(conf)
    ]
    if not any(finding.level is Level.ERROR for finding in found):
        found += _together(conf)
    order = list(Level)
    return sorted(found, key=lambda finding: order.index(finding.level))


def differing(conf: FlinkConf, shipped: Mapping[str, str]) -> dict[str, str]:
    """Return what sets the operator's options to something else than usual, fit for logs.

    Args:
        conf: The operator's configuration.
        shipped: Entries of the configuration that is in force without files, which are usual as well.
    """
    found = {}
    for option in own_options():
        key = conf.key_of(option)
        if key is None:
            continue
        text = conf.entries[key]
        try:
            same = option.parse(text) == option.default
        except ValueError:
            same = False
        if not same:
            found[key] = text
    defaults = (options.NAMESPACE_DEFAULTS, options.VERSION_DEFAULTS)
    found |= {
        key: text
        for key, text in conf.entries.items()
        if key.startswith(defaults + _PREFIXED + _FAMILIES) and key not in found
    }
    return sensitive.masked({key: text for key, text in found.items() if shipped.get(key) != text})


def _of_entry(conf: FlinkConf, key: str) -> Iterator[Finding]:
    inner, scopes = key, frozenset(Scope)
    if key.startswith(options.NAMESPACE_DEFAULTS):
        inner = key.removeprefix(options.NAMESPACE_DEFAULTS).partition(".")[2]
        scopes = frozenset({Scope.NAMESPACE, Scope.RESOURCE, Scope.FLINK})
    elif key.startswith(options.VERSION_DEFAULTS):
        inner = key.removeprefix(options.VERSION_DEFAULTS).partition(".")[2]
        scopes = frozenset({Scope.NAMESPACE, Scope.RESOURCE, Scope.FLINK})
    option = _OWN.get(inner) or _FLINK.get(inner)
    if option is None:
        if inner.startswith((options.PREFIX, options.AUTOSCALER_PREFIX)):
            yield from _unknown(key, inner)
        return
    try:
        flink_conf.parse(option, inner, conf.entries[key])
    except errors.ConfigValueError as error:
        yield Finding(Level.ERROR, key, str(error))
        return
    if option.scope not in scopes:
        yield Finding(
            Level.WARNING,
            key,
            f"{inner} holds for the whole operator: as a default of a namespace or version it has no effect.",
        )
        return
    if inner != option.key:
        yield from _older(conf, key, inner, option)
    nothing = without_effect.reason(option)
    if nothing is not None:
        yield Finding(Level.WARNING, key, f"{inner} has no effect: {nothing}.")


def _older(conf: FlinkConf, key: str, inner: str, option: Option[object]) -> Iterator[Finding]:
    beside = key.removesuffix(inner) + option.key
    if beside in conf:
        yield Finding(
            Level.WARNING, key, f"{inner} has no effect, because {option.key} is there, too."
        )
    else:
        yield Finding(Level.NOTE, key, f"{inner} is an older name of {option.key}.")


def _unknown(key: str, inner: str) -> Iterator[Finding]:
    if inner.startswith(_PREFIXED + _FAMILIES):
        return
    known = difflib.get_close_matches(inner, _OWN, n=1, cutoff=_NEAR)
    hint = f" Is {known[0]} meant?" if known else ""
    yield Finding(Level.WARNING, key, f"{inner} is not known and has no effect.{hint}")


def _together(conf: FlinkConf) -> Iterator[Finding]:
    """Say what is wrong with options that are right by themselves."""
    try:
        OperatorConfig.read(conf)
        reporters.prometheus(conf)
    except errors.ConfigError as error:
        yield Finding(Level.ERROR, "", str(error))
