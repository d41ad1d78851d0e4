"""The only reader of wall time, its zone, and the monotonic clock.

Everything that needs the time takes a `Clock`, so that tests decide what time it is. Waiting is done
with the event loop's timers, never by comparing wall time: a clock step must not change a delay.
"""

import datetime as dt
import time
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

_LOCAL_ZONE: Final = Path("/etc/localtime")


class Clock(Protocol):
    """Tells the time; two clocks that must not be mixed up."""

    def now(self) -> dt.datetime:
        """Return wall time, aware, in UTC: for timestamps that people and other programs read."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start: for durations and deadlines."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> dt.datetime:
        """Return the machine's wall time in UTC."""
        return dt.datetime.now(dt.UTC)  # noqa: TID251 - the one place that may

    def monotonic(self) -> float:
        """Return the machine's monotonic time in seconds."""
        return time.monotonic()


def process_zone(environ: Mapping[str, str], local: Path = _LOCAL_ZONE) -> dt.tzinfo:
    """Return the zone in which users' schedules are read: that of `TZ`, else the machine's, else UTC.

    With its changes of clocks, which `astimezone` without a zone would forget.
    """
    name = environ.get("TZ", "").removeprefix(":")
    try:
        if name:
            return zoneinfo.ZoneInfo(name)
        with local.open("rb") as file:
            return zoneinfo.ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError, KeyError):  # missing, broken, unknown
        return dt.UTC


def epoch_ms(moment: dt.datetime) -> int:
    """Return `moment` as whole milliseconds since 1970-01-01T00:00:00Z."""
    return int(moment.timestamp() * 1000)


def rfc3339(moment: dt.datetime) -> str:
    """Return `moment` as Kubernetes writes a Time: seconds, UTC, with `Z`."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_micro(moment: dt.datetime) -> str:
    """Return `moment` as Kubernetes writes a MicroTime: microseconds, UTC, with `Z`."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
