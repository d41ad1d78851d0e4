"""What can be wrong with a configuration; every error says where, why, and what to do."""

from flinkop.config import sensitive


class ConfigError(ValueError):
    """Some configuration cannot be used; retrying without a change of it is of no use."""


class ConfigValueError(ConfigError):
    """The value of one key cannot be read.

    The value is left out of the message when the key is sensitive (`operations.md` 1.4).
    """

    def __init__(self, key: str, value: str, reason: str) -> None:
        """Say that `value` of `key` is unreadable, for `reason` (cause first, then the remedy)."""
        if sensitive.is_sensitive(key):
            message = f"Could not parse the value of key '{key}' (hidden, the key is sensitive)."
        else:
            message = f"Could not parse value '{_shortened(value)}' for key '{key}': {reason}"
        super().__init__(message)
        self.key = key


class ConfigShapeError(ConfigError):
    """`spec.flinkConfiguration` is not an object."""


class ConfigFileError(ConfigError):
    """A configuration file cannot be used.

    Attributes:
        path: The file, or the directory in which it was looked for.
        line: 1-based line of the fault, or None when the whole file is meant.
    """

    def __init__(self, path: str, reason: str, *, line: int | None = None) -> None:
        """Say that `path` cannot be used, for `reason` (cause first, then the remedy)."""
        where = path if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {reason}")
        self.path = path
        self.line = line


def _shortened(value: str, limit: int = 200) -> str:
    return value if len(value) <= limit else f"{value[:limit]}... ({len(value)} characters)"
