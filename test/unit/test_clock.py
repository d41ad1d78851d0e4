"""Times as they are written, and the zone in which users' schedules are read."""

import datetime as dt
import zoneinfo
from pathlib import Path

import pytest

from flinkop import clock

JULY = dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC)
NOWHERE = Path("/nonexistent")


def hour(zone):
    return JULY.astimezone(zone).hour


def test_times_as_kubernetes_writes_them():
    """In UTC, to the second or the microsecond, and as milliseconds since 1970."""
    moment = dt.datetime(2026, 7, 1, 14, 0, 1, 5000, zoneinfo.ZoneInfo("Europe/Berlin"))
    assert clock.rfc3339(moment) == "2026-07-01T12:00:01Z"
    assert clock.rfc3339_micro(moment) == "2026-07-01T12:00:01.005000Z"
    assert clock.epoch_ms(moment) == 1782907201005


@pytest.mark.parametrize("name", ["Europe/Berlin", ":Europe/Berlin"])
def test_the_zone_that_tz_names(name):
    """With its summer time."""
    zone = clock.process_zone({"TZ": name}, NOWHERE)
    assert hour(zone) == 14
    assert (JULY + dt.timedelta(days=180)).astimezone(zone).hour == 13


def test_the_zone_of_the_machine(tmp_path):
    """As its file says, when TZ does not."""
    for directory in (Path(path) for path in zoneinfo.TZPATH):
        if (directory / "Asia/Tokyo").is_file():
            assert hour(clock.process_zone({}, directory / "Asia/Tokyo")) == 21
            assert hour(clock.process_zone({"TZ": ""}, directory / "Asia/Tokyo")) == 21
            break
    broken = tmp_path / "localtime"
    broken.write_bytes(b"no zone")
    assert clock.process_zone({}, broken) is dt.UTC


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\0b"])
def test_without_a_zone_it_is_utc(name):
    """As in a container that has none."""
    assert clock.process_zone({"TZ": name}, NOWHERE) is dt.UTC
    assert clock.process_zone({}, NOWHERE) is dt.UTC
