"""Quartz cron expressions: `sec min hour day-of-month month day-of-week [year]`; pure.

They name readings of a wall clock, and a moment matches when the clock of its zone shows such a reading
to the second. So when clocks go forward, what they skip is not due on that day; when they go back, what
they show twice is due twice. A schedule of every five minutes has no hole of an hour then, and one of every
night at half past two runs twice in one night of the year.

Written by hand: what PyPI has gets Quartz wrong (days of the week one off, no `LW`, no year).
"""

import datetime as dt
import functools
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from flinkop.lifecycle import quartz_fields as fields
from flinkop.lifecycle.quartz_fields import CronSyntaxError, DayRule

__all__ = ["CronExpression", "CronSyntaxError", "parse"]

_SIX: Final = 6
_SEVEN: Final = 7
_SECOND: Final = dt.timedelta(seconds=1)
_TWO_DAYS: Final = dt.timedelta(days=2)  # more than two offsets from UTC can differ
_SPELL: Final = dt.timedelta(hours=6)  # no zone changes its offset and takes that back within it
_BEFORE_ALL: Final = dt.datetime(fields.FIRST_YEAR - 1, 12, 28, tzinfo=dt.UTC)


@functools.lru_cache(maxsize=256)
def parse(text: str) -> "CronExpression":
    """Read an expression; letters in any case.

    Raises:
        CronSyntaxError: it is none; the message names the field.
    """
    parts = text.upper().split()
    if len(parts) not in (_SIX, _SEVEN):
        raise CronSyntaxError(
            f"has {len(parts)} fields, write 6 or 7: "
            "seconds minutes hours day-of-month month day-of-week [year]"
        )
    seconds, minutes, hours, day_of_month, months, day_of_week = parts[:_SIX]
    years = parts[_SIX] if len(parts) == _SEVEN else "*"
    return CronExpression(
        seconds=tuple(sorted(fields.SECONDS.values(seconds))),
        minutes=tuple(sorted(fields.MINUTES.values(minutes))),
        hours=tuple(sorted(fields.HOURS.values(hours))),
        days=fields.day_rule(day_of_month, day_of_week),
        months=tuple(sorted(fields.MONTH.values(months))),
        years=tuple(sorted(fields.YEAR.values(years))),
    )


@frozen(kw_only=True)
class CronExpression:
    """When something is due: sorted numbers for each field, and a rule for the days of a month."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DayRule
    months: tuple[int, ...]
    years: tuple[int, ...]

    def next_after(self, moment: dt.datetime) -> dt.datetime | None:
        """Return the first moment after `moment` that matches, in the zone of `moment`.

        None when there is none until the end of 2099; the search is short all the same.

        Raises:
            ValueError: `moment` says no zone.
        """
        zone = moment.tzinfo
        if zone is None:
            raise ValueError("next_after needs a moment with a time zone")
        if moment.year < _BEFORE_ALL.year:
            moment = _BEFORE_ALL
        if moment.year > fields.LAST_YEAR + 1:
            return None
        found = self._search(moment.astimezone(dt.UTC).replace(microsecond=0), zone)
        return None if found is None else found.astimezone(zone)

    def _search(self, after: dt.datetime, zone: dt.tzinfo) -> dt.datetime | None:
        """Walk from one stretch of constant offset from UTC to the next.

        Within a stretch wall clock and UTC run alike, so the next matching reading of the clock is the
        next match, unless the offset changes before: then go on from there. Stretches are looked through
        for two days, which is as far as clocks can go back; a match further away is jumped to.
        """
        offset = _offset(after, zone)
        while True:
            reading = self._next_reading(after.replace(tzinfo=None) + offset)
            if reading is None:
                return None
            found = reading.replace(tzinfo=dt.UTC) - offset
            change = _change(after, min(found, after + _TWO_DAYS), zone, offset)
            if change is not None:
                after = change - _SECOND
                offset = _offset(change, zone)
            elif found <= after + _TWO_DAYS:
                return found
            else:
                after = max(after + _TWO_DAYS, found - _TWO_DAYS)
                offset = _offset(after, zone)

    def _next_reading(self, after: dt.datetime) -> dt.datetime | None:
        """Return the first matching reading of a clock that runs without end, later than `after`."""
        start = after.replace(microsecond=0) + _SECOND
        today = start.date()
        for day in self._dates(today):
            time = self._first_time(start.time() if day == today else dt.time.min)
            if time is not None:
                return dt.datetime.combine(day, time)
        return None

    def _dates(self, start: dt.date) -> Iterator[dt.date]:
        for year in self.years:
            for month in self.months:
                if (year, month) >= (start.year, start.month):
                    dates = (dt.date(year, month, day) for day in self.days.days(year, month))
                    yield from (date for date in dates if date >= start)

    def _first_time(self, start: dt.time) -> dt.time | None:
        for hour in self.hours:
            if hour < start.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (start.hour, start.minute):
                    continue
                for second in self.seconds:
                    if (hour, minute, second) >= (start.hour, start.minute, start.second):
                        return dt.time(hour, minute, second)
        return None


def _offset(moment: dt.datetime, zone: dt.tzinfo) -> dt.timedelta:
    return moment.astimezone(zone).utcoffset() or dt.timedelta(0)


def _change(
    after: dt.datetime, until: dt.datetime, zone: dt.tzinfo, offset: dt.timedelta
) -> dt.datetime | None:
    """Return the first second in (after, until] at which the offset is no longer `offset`."""
    low = after
    while low < until:
        high = min(low + _SPELL, until)
        if _offset(high, zone) != offset:
            while high - low > _SECOND:
                middle = low + (high - low) // _SECOND // 2 * _SECOND
                if _offset(middle, zone) == offset:
                    low = middle
                else:
                    high = middle
            return high
        low = high
    return None
