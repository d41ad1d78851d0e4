"""A jar's URI: read once, shown without its secrets, and named by what is after its last slash."""

import re
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import field, frozen

from flinkop.artifacts import errors

_UNKNOWN_PLACE: Final = "of jarURI"
_LONGEST: Final = 8192
_LONGEST_SHOWN: Final = 300
_LONGEST_NAME: Final = 100
_CONTAINER_FIRST: Final = frozenset({"abfs", "abfss"})
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
# What RFC 3986 and Java's parser leave out: blanks, control characters, and delimiters of other syntaxes.
_FORBIDDEN: Final = re.compile(r'[\s\x00-\x20\x7f-\x9f<>"{}|\\^`]')
_PIN: Final = re.compile(r"sha256=([0-9a-fA-F]{64})", re.ASCII)
_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._+-]", re.ASCII)


@frozen
class JarUri:
    """A URI that was read.

    Attributes:
        text: the URI without its fragment, as it is fetched; may hold secrets.
        scheme: in lower case.
        host: in lower case, without brackets; empty when there is none.
        path: with its escapes undone.
        shown: the URI without user, query and fragment: fit for logs and statuses.
        name: what the jar is called when it is uploaded; ends in `.jar`, which Flink asks for.
        sha256: the content's checksum, lower case, when the URI pins it.
    """

    text: str = field(repr=False)
    scheme: str
    host: str
    path: str = field(repr=False)
    shown: str
    name: str
    sha256: str | None = None


def parse(text: str) -> JarUri:
    """Read a URI (`api.md` 4.3, S4).

    Raises:
        InvalidUri: it is none, has no scheme, or a fragment that is no pin.
    """
    split = _split(text)
    text, _, fragment = text.partition("#")
    return JarUri(
        text=text,
        scheme=split.scheme.lower(),
        host=(split.hostname or "").lower(),
        path=unquote(split.path),
        shown=_shown(split),
        name=_name(split.path),
        sha256=_pin(fragment, _shown(split)),
    )


def has_forbidden_character(text: str) -> bool:
    """Tell whether `text` holds a character that no URI has."""
    return _FORBIDDEN.search(text) is not None


def _split(text: str) -> SplitResult:
    """Take a URI apart; messages never quote it, as nobody knows yet where its secrets are."""
    if not text:
        raise _invalid("it is empty")
    if len(text) > _LONGEST:
        raise _invalid(f"it is longer than {_LONGEST} characters")
    wrong = _FORBIDDEN.search(text)
    if wrong is not None:
        raise _invalid(
            f"it is not a valid URI, the character at position {wrong.start()} has to be escaped"
        )
    if _SCHEME.fullmatch(text.partition(":")[0]) is None or ":" not in text:
        raise _invalid("it must include a scheme")
    try:
        split = urlsplit(text)
        _ = split.port, split.hostname  # these are checked when they are asked for
    except ValueError:
        raise _invalid("it is not a valid URI, its host or port cannot be read") from None
    return split


def _invalid(cause: str, where: str = _UNKNOWN_PLACE) -> errors.InvalidUri:
    return errors.InvalidUri(where, cause, "Write jarURI as scheme://host/path/of/the.jar.")


def _pin(fragment: str, where: str) -> str | None:
    if not fragment:
        return None
    match = _PIN.fullmatch(fragment)
    if match is None:
        raise errors.InvalidUri(
            where,
            "what follows # is not a checksum",
            "Write #sha256= and 64 hexadecimal digits, or leave the fragment out.",
        )
    return match[1].lower()


def _shown(split: SplitResult) -> str:
    user, _, authority = split.netloc.rpartition("@")
    if user and split.scheme.lower() in _CONTAINER_FIRST and ":" not in user:
        authority = split.netloc  # a container, not a user
    slashes = "//" if split.netloc or split.path.startswith("/") else ""
    text = f"{split.scheme.lower()}:{slashes}{authority}{split.path}"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def _name(path: str) -> str:
    plain = _UNUSUAL.sub("_", unquote(path.rpartition("/")[2])).lstrip(".")
    stem = plain.removesuffix(".jar")[:_LONGEST_NAME] or "job"
    return stem + ".jar"
