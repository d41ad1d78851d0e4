"""An option: one key of the configuration, its older names, its type and its default."""

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import attrs

from flinkop.api import quantity
from flinkop.config import structured, values

T_co = TypeVar("T_co", covariant=True)
E = TypeVar("E", bound=enum.Enum)


class Scope(enum.Enum):
    """From which layers an option is read, and when (`operations.md` 1.7)."""

    STATIC = "S"
    """Operator-wide, read once at process start."""
    DYNAMIC = "D"
    """Operator-wide, read again after a reload of the files."""
    NAMESPACE = "N"
    """Global, per namespace and per Flink version; a resource cannot set it."""
    RESOURCE = "R"
    """As NAMESPACE, and a resource may set it in `spec.flinkConfiguration`."""
    FLINK = "F"
    """An option of Flink itself that the operator reads."""


@attrs.frozen(eq=False)
class Option(Generic[T_co]):
    """One option.

    Attributes:
        key: Its current key.
        parse: Text to value; raises ValueError with a reason.
        default: The value when neither the key nor an older one is present.
        scope: From which layers it is read.
        description: For users, in one or two sentences.
        type_name: For users: Duration, Boolean, ...
        older_keys: Deprecated and fallback keys, read in this order when `key` is absent.
        choices: The texts an enum admits.
        prefixed: Whether the option is a map that may be given as `key.<x>` entries.
    """

    key: str
    parse: Callable[[str], T_co]
    default: T_co
    scope: Scope
    description: str
    type_name: str
    older_keys: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    prefixed: bool = False


@attrs.frozen
class Section:
    """Makes options of one scope, so that a table of them reads as a table."""

    scope: Scope

    def text(self, key: str, default: str, description: str, *older_keys: str) -> Option[str]:
        """A text that always has a value."""
        return Option(
            key, values.parse_string, default, self.scope, description, "String", older_keys
        )

    def optional_text(self, key: str, description: str, *older_keys: str) -> Option[str | None]:
        """A text that may be absent."""
        return Option(key, values.parse_string, None, self.scope, description, "String", older_keys)

    def boolean(self, key: str, default: bool, description: str, *older_keys: str) -> Option[bool]:  # noqa: FBT001 - a default, in its column
        """True or false."""
        return Option(
            key, values.parse_boolean, default, self.scope, description, "Boolean", older_keys
        )

    def integer(self, key: str, default: int, description: str, *older_keys: str) -> Option[int]:
        """A whole number."""
        return Option(
            key, values.parse_integer, default, self.scope, description, "Integer", older_keys
        )

    def optional_integer(self, key: str, description: str, *older_keys: str) -> Option[int | None]:
        """A whole number that may be absent."""
        return Option(
            key, values.parse_integer, None, self.scope, description, "Integer", older_keys
        )

    def double(self, key: str, default: float, description: str, *older_keys: str) -> Option[float]:
        """A decimal number."""
        return Option(
            key, values.parse_double, default, self.scope, description, "Double", older_keys
        )

    def optional_double(self, key: str, description: str, *older_keys: str) -> Option[float | None]:
        """A decimal number that may be absent."""
        return Option(key, values.parse_double, None, self.scope, description, "Double", older_keys)

    def duration(
        self, key: str, default: str, description: str, *older_keys: str
    ) -> Option[dt.timedelta]:
        """A duration; the default is written as users write it."""
        parsed = values.parse_signed_duration(default)
        parse = values.parse_signed_duration if parsed < dt.timedelta(0) else values.parse_duration
        return Option(key, parse, parsed, self.scope, description, "Duration", older_keys)

    def optional_duration(
        self, key: str, description: str, *older_keys: str
    ) -> Option[dt.timedelta | None]:
        """A duration that may be absent."""
        return Option(
            key, values.parse_duration, None, self.scope, description, "Duration", older_keys
        )

    def memory(self, key: str, default: str, description: str, *older_keys: str) -> Option[int]:
        """A memory size in bytes; the default is written as users write it."""
        return Option(
            key,
            quantity.parse_flink_size,
            quantity.parse_flink_size(default),
            self.scope,
            description,
            "MemorySize",
            older_keys,
        )

    def optional_memory(self, key: str, description: str, *older_keys: str) -> Option[int | None]:
        """A memory size in bytes that may be absent."""
        return Option(
            key, quantity.parse_flink_size, None, self.scope, description, "MemorySize", older_keys
        )

    def choice(self, key: str, default: E, description: str, *older_keys: str) -> Option[E]:
        """One of the values of an enum, in any case."""
        kind = type(default)

        def parse(text: str) -> E:
            return values.parse_enum(kind, text)

        return Option(
            key,
            parse,
            default,
            self.scope,
            description,
            "Enum",
            older_keys,
            choices=tuple(str(member.value) for member in kind),
        )

    def texts(
        self, key: str, default: tuple[str, ...], description: str, *older_keys: str
    ) -> Option[tuple[str, ...]]:
        """A list of texts."""
        return Option(
            key, structured.parse_list, default, self.scope, description, "List", older_keys
        )

    def words(
        self, key: str, default: tuple[str, ...], description: str, *older_keys: str
    ) -> Option[tuple[str, ...]]:
        """A list of words, separated by `;` or `,`."""
        return Option(
            key, structured.parse_words, default, self.scope, description, "List", older_keys
        )

    def mapping(self, key: str, description: str, *older_keys: str) -> Option[Mapping[str, str]]:
        """A map of texts, also as `key.<x>` entries."""
        return Option(
            key,
            structured.parse_map,
            {},
            self.scope,
            description,
            "Map",
            older_keys,
            prefixed=True,
        )

    def mappings(
        self, key: str, description: str, *older_keys: str
    ) -> Option[tuple[Mapping[str, str], ...]]:
        """A list of maps."""
        return Option(
            key, structured.parse_maps, (), self.scope, description, "List<Map>", older_keys
        )
