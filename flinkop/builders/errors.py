"""Why the objects of a cluster cannot be built."""

import contextlib
from collections.abc import Iterator

from flinkop.api import quantity
from flinkop.config import errors as config_errors


class BuildError(ValueError):
    """The spec and its configuration describe no cluster that could run; only a change of them helps.

    The message says the cause first, then what to do, and holds no secrets.
    """


@contextlib.contextmanager
def as_build_errors() -> Iterator[None]:
    """Turn what the configuration and quantities raise into BuildError."""
    try:
        yield
    except (config_errors.ConfigError, quantity.QuantityError) as error:
        raise BuildError(str(error)) from error
    except RecursionError:
        raise BuildError("The spec is nested too deeply. Flatten its pod templates.") from None
