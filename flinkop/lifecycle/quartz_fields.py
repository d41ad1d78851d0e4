"""The fields of a Quartz cron expression, each read by itself: text to the values it means; pure.

Lists, ranges, steps and names as Quartz has them: a range whose end comes first goes on from the
beginning (`FRI-MON`, `22-2`), `a/n` runs to the end of the field, `/n` is `*/n`. What Quartz reads in
half and silently drops, such as the rest of `MON-FRI/2` or of `15W,20`, is read whole or refused.
"""

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from typing import Final, Protocol

from attrs import frozen

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2099


class CronSyntaxError(ValueError):
    """A text is no Quartz cron expression; says which field is wrong, and what would be right."""


@frozen
class Field:
    """One of the seven fields: its name for people, its range, and names that stand for numbers.

    Attributes:
        name: what it is called.
        low: its smallest value.
        high: its largest value.
        names: names of the values from `low` on; the first three letters do.
        circular: whether a range may go over the end to the beginning.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    circular: bool = True

    def values(self, text: str) -> frozenset[int]:
        """Return the numbers that `text` lists.

        Raises:
            CronSyntaxError: it is no list of numbers, ranges and steps.
        """
        return frozenset(value for part in text.split(",") for value in self._part(part))

    def number(self, text: str) -> int:
        """Return the number that `text` is or names.

        Raises:
            CronSyntaxError: it is neither, or out of range.
        """
        for value, name in enumerate(self.names, self.low):
            if text in (name, name[:3]):
                return value
        number = _digits(text)
        if number is None:
            raise self.error(f"cannot read {text!r}, write {self._range}")
        if not self.low <= number <= self.high:
            raise self.error(f"{number} is out of range, write {self._range}")
        return number

    def error(self, reason: str) -> CronSyntaxError:
        """Return the error that this field is wrong, for `reason`."""
        return CronSyntaxError(f"{self.name}: {reason}")

    @property
    def _range(self) -> str:
        names = f" or {self.names[0][:3]} to {self.names[-1][:3]}" if self.names else ""
        return f"{self.low} to {self.high}{names}"

    def _part(self, part: str) -> Iterator[int]:
        body, slash, step_text = part.partition("/")
        step = self._step(step_text) if slash else 1
        first, dash, last = body.partition("-")
        if body == "*" or (slash and not body):
            start, end = self.low, self.high
        elif dash:
            start, end = self.number(first), self.number(last)
        else:
            start = self.number(body)
            end = self.high if slash else start
        span = self.high - self.low + 1
        if end < start:
            if not self.circular:
                raise self.error(f"{body} ends before it begins")
            end += span
        for value in range(start, end + 1, step):
            yield self.low + (value - self.low) % span

    def _step(self, text: str) -> int:
        step = _digits(text)
        if step is None or not 1 <= step <= self.high:
            raise self.error(f"cannot use {text!r} as a step, write 1 to {self.high} after /")
        return step


SECONDS: Final = Field("seconds", 0, 59)
MINUTES: Final = Field("minutes", 0, 59)
HOURS: Final = Field("hours", 0, 23)
DAY_OF_MONTH: Final = Field("day of month", 1, 31)
MONTH: Final = Field(
    "month",
    1,
    12,
    (
        *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
        *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
    ),
)
DAY_OF_WEEK: Final = Field(
    "day of week",
    1,
    7,
    ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"),
)
YEAR: Final = Field("year", FIRST_YEAR, LAST_YEAR, circular=False)


class DayRule(Protocol):
    """Which days of a month are meant."""

    def days(self, year: int, month: int) -> list[int]:
        """Return them in order; none when the month has no such day."""
        ...


@frozen
class MonthDays:
    """Days by their number; those that a month does not have are left out."""

    numbers: frozenset[int]

    def days(self, year: int, month: int) -> list[int]:
        """Return the numbers that the month has."""
        last = _last_day(year, month)
        return [day for day in sorted(self.numbers) if day <= last]


@frozen
class LastDay:
    """`L`, `L-n`: n days before the last; with `W` the weekday nearest to that."""

    before: int = 0
    weekday: bool = False

    def days(self, year: int, month: int) -> list[int]:
        """Return the one day, or none when the month is too short."""
        day = _last_day(year, month) - self.before
        if day < 1:
            return []
        return [_nearest_weekday(year, month, day) if self.weekday else day]


@frozen
class NearestWeekday:
    """`nW`: the day from Monday to Friday nearest to the n-th, in the same month."""

    day: int

    def days(self, year: int, month: int) -> list[int]:
        """Return the one day, or none when the month has no n-th."""
        if self.day > _last_day(year, month):
            return []
        return [_nearest_weekday(year, month, self.day)]


@frozen
class Weekdays:
    """Days by their weekday, 1 for Sunday."""

    numbers: frozenset[int]

    def days(self, year: int, month: int) -> list[int]:
        """Return all days of the month that are one of them."""
        first = _weekday(year, month, 1)
        last = _last_day(year, month)
        return [day for day in range(1, last + 1) if (first + day - 2) % 7 + 1 in self.numbers]


@frozen
class OneWeekday:
    """`n#k`: the k-th of a weekday in the month; `nL` the last (`nth` is 0)."""

    weekday: int
    nth: int

    def days(self, year: int, month: int) -> list[int]:
        """Return the one day, or none when there is no fifth."""
        all_of_them = Weekdays(frozenset((self.weekday,))).days(year, month)
        return all_of_them[-1:] if self.nth == 0 else all_of_them[self.nth - 1 : self.nth]


def day_rule(day_of_month: str, day_of_week: str) -> DayRule:
    """Return what the two day fields say together; exactly one of them must be `?`.

    Raises:
        CronSyntaxError: both or none is `?`, or the other cannot be read.
    """
    if day_of_month == "?" and day_of_week == "?":
        raise CronSyntaxError("day of month and day of week are both ?, write one of them")
    if "?" not in (day_of_month, day_of_week):
        raise CronSyntaxError(
            "day of month and day of week are both given, write ? for one of them"
        )
    if day_of_week == "?":
        return _of_month(day_of_month)
    return _of_week(day_of_week)


_LAST: Final = re.compile(r"L(?:-([0-9]+))?(W)?")
_NEAREST: Final = re.compile(r"([0-9]+)W")
_LAST_WEEKDAY: Final = re.compile(r"([0-9A-Z]+)L")
_NTH_WEEKDAY: Final = re.compile(r"([0-9A-Z]+)#(.*)")
_MOST_BEFORE: Final = 30
_MOST_IN_MONTH: Final = 5


def _of_month(text: str) -> DayRule:
    if match := _LAST.fullmatch(text):
        before = _digits(match[1] or "0")
        if before is None or before > _MOST_BEFORE:
            raise DAY_OF_MONTH.error(f"{text} is out of range, write at most L-{_MOST_BEFORE}")
        return LastDay(before, weekday=match[2] is not None)
    if match := _NEAREST.fullmatch(text):
        return NearestWeekday(DAY_OF_MONTH.number(match[1]))
    if "L" in text or "W" in text:
        raise DAY_OF_MONTH.error(f"cannot read {text!r}: L and W stand alone, as L, L-3, LW or 15W")
    return MonthDays(DAY_OF_MONTH.values(text))


def _of_week(text: str) -> DayRule:
    if text == "L":
        return Weekdays(frozenset((DAY_OF_WEEK.high,)))
    if match := _LAST_WEEKDAY.fullmatch(text):
        return OneWeekday(DAY_OF_WEEK.number(match[1]), 0)
    if match := _NTH_WEEKDAY.fullmatch(text):
        nth = _digits(match[2])
        if nth is None or not 1 <= nth <= _MOST_IN_MONTH:
            raise DAY_OF_WEEK.error(f"cannot read {text!r}, write 1 to {_MOST_IN_MONTH} after #")
        return OneWeekday(DAY_OF_WEEK.number(match[1]), nth)
    return Weekdays(DAY_OF_WEEK.values(text))


def _digits(text: str) -> int | None:
    """Return the number that `text` writes; no field needs more than four digits."""
    return int(text) if re.fullmatch("[0-9]{1,4}", text) else None


def _nearest_weekday(year: int, month: int, day: int) -> int:
    match dt.date(year, month, day).isoweekday():
        case 6:
            return day - 1 if day > 1 else 3
        case 7:
            return day + 1 if day < _last_day(year, month) else day - 2
        case _:
            return day


def _weekday(year: int, month: int, day: int) -> int:
    return dt.date(year, month, day).isoweekday() % 7 + 1


def _last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
