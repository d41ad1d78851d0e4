"""A Flink configuration: a flat map of texts that never changes, with typed reading by option."""

import bisect
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from flinkop.config import errors, sensitive
from flinkop.config.option import Option

T = TypeVar("T")


class FlinkConf:
    """An immutable flat configuration; may be handed to anybody.

    `get` reads options, `text` raw keys.
    """

    __slots__ = ("_sorted", "_values")

    def __init__(self, entries: Mapping[str, str] | None = None) -> None:
        """Copy `entries`."""
        self._values: dict[str, str] = dict(entries) if entries else {}
        self._sorted: list[str] | None = None

    @classmethod
    def owning(cls, entries: dict[str, str]) -> "FlinkConf":
        """Wrap `entries` without a copy: the caller gives them up."""
        made = cls()
        made._values = entries
        return made

    @property
    def entries(self) -> Mapping[str, str]:
        """All keys and their texts, not to be changed."""
        return self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FlinkConf):
            return self._values == other._values
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"FlinkConf({self.masked()})"

    def text(self, key: str, default: str | None = None) -> str | None:
        """Return the raw text of exactly this key."""
        return self._values.get(key, default)

    def get(self, option: Option[T]) -> T:
        """Return the value of an option, or its default.

        The option's own key counts first, then its older keys in order; a map may also be spread
        over `key.<x>` entries.

        Raises:
            ConfigValueError: the value cannot be read.
        """
        key = self.key_of(option)
        if key is not None:
            return parse(option, key, self._values[key])
        if option.prefixed:
            for candidate in (option.key, *option.older_keys):
                entries = self.prefix(candidate + ".")
                if entries:
                    return entries  # type: ignore[return-value]
        return option.default

    def key_of(self, option: Option[T]) -> str | None:
        """Return the key under which an option is present, or None."""
        if option.key in self._values:
            return option.key
        for older in option.older_keys:
            if older in self._values:
                return older
        return None

    def has(self, option: Option[T]) -> bool:
        """Tell whether an option is present in any form (`kubernetes-objects.md` 4.1)."""
        if self.key_of(option) is not None:
            return True
        if not option.prefixed:
            return False
        return any(self.prefix(key + ".") for key in (option.key, *option.older_keys))

    def prefix(self, prefix: str) -> dict[str, str]:
        """Return the entries whose keys start with `prefix`, sorted, without it."""
        keys = self._sorted
        if keys is None:
            keys = self._sorted = sorted(self._values)
        found = {}
        cut = len(prefix)
        for index in range(bisect.bisect_left(keys, prefix), len(keys)):
            key = keys[index]
            if not key.startswith(prefix):
                break
            if len(key) > cut:
                found[key[cut:]] = self._values[key]
        return found

    def with_(self, entries: Mapping[str, str]) -> "FlinkConf":
        """Return this configuration with `entries` laid over it."""
        return FlinkConf.owning({**self._values, **entries})

    def without(self, keys: Iterable[str]) -> "FlinkConf":
        """Return this configuration less `keys`."""
        dropped = frozenset(keys)
        return FlinkConf.owning({k: v for k, v in self._values.items() if k not in dropped})

    def without_prefixes(self, *prefixes: str) -> "FlinkConf":
        """Return this configuration less all keys that start with one of `prefixes`."""
        return FlinkConf.owning(
            {k: v for k, v in self._values.items() if not k.startswith(prefixes)}
        )

    def to_dict(self) -> dict[str, str]:
        """Return a copy as a plain map."""
        return dict(self._values)

    def masked(self) -> dict[str, str]:
        """Return a copy fit for logs, values of sensitive keys hidden."""
        return sensitive.masked(self._values)


def parse(option: Option[T], key: str, text: str) -> T:
    """Read the text of an option found under `key`.

    Raises:
        ConfigValueError: the text cannot be read.
    """
    try:
        return option.parse(text)
    except ValueError as error:
        raise errors.ConfigValueError(key, text, str(error)) from None
