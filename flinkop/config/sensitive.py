"""Which keys hold secrets, and how their values are hidden.

The words are the reference's, because messages that people compare are made with them, and one that it
forgot. Log lines hide more (`flinkop.log`).
"""

from collections.abc import Mapping

HIDDEN = "******"

_MARKS = (
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
    "http.header",  # not among the reference's: user.artifacts.http.header, mostly an Authorization
)


def is_sensitive(key: str) -> bool:
    """Tell whether the value of `key` must not be shown (`operations.md` 1.4)."""
    lowered = key.lower()
    return any(mark in lowered for mark in _MARKS)


def masked(values: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `values` fit for logs: values of sensitive keys are replaced."""
    return {key: HIDDEN if is_sensitive(key) else value for key, value in values.items()}
