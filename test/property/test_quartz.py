"""Quartz expressions against a matcher that looks at every second, minute or day by itself."""

import datetime as dt
import functools
import itertools
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from attrs import frozen
from hypothesis import example, given, settings, strategies as st

from flinkop.lifecycle import quartz

MONTHS = [*("JAN", "FEB", "MAR", "APR", "MAY", "JUN"), *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC")]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
MINUTE = dt.timedelta(minutes=1)


@frozen
class Said:
    """A field's text and what it means, put together from the same choices."""

    text: str
    means: Callable[[Any], bool]


def numbers(low, high, names=(), *, circular=True):
    """Draw a field of numbers; its meaning is a predicate on a number."""
    span = high - low + 1
    number = st.integers(low, high)
    step = st.integers(1, min(high, 20))

    def word(n):
        spelled = [str(n)]
        if names:
            spelled += [names[n - low], names[n - low].lower()]
        return st.sampled_from(spelled)

    @st.composite
    def part(draw):
        kind = draw(st.sampled_from(["one", "one", "range", "range/", "from/", "all/"]))
        n, every = draw(number), draw(step)
        match kind:
            case "one":
                return Said(draw(word(n)), lambda v: v == n)
            case "range" | "range/":
                end = draw(number if circular else st.integers(n, high))
                every = every if kind == "range/" else 1
                suffix = f"/{every}" if kind == "range/" else ""
                return Said(
                    f"{draw(word(n))}-{draw(word(end))}{suffix}",
                    lambda v: (v - n) % span <= (end - n) % span and (v - n) % span % every == 0,
                )
            case "from/":
                return Said(f"{n}/{every}", lambda v: v >= n and (v - n) % every == 0)
            case _:
                star = draw(st.sampled_from(["*", ""]))
                return Said(f"{star}/{every}", lambda v: (v - low) % every == 0)

    def listed(parts):
        return Said(",".join(p.text for p in parts), lambda v: any(p.means(v) for p in parts))

    return st.just(Said("*", lambda _: True)) | st.lists(part(), min_size=1, max_size=3).map(listed)


def weekday(date):
    return date.isoweekday() % 7 + 1


def is_last(date, days=1):
    return (date + days * DAY).month != date.month


def of_same_month(date):
    first = date.replace(day=1)
    return itertools.takewhile(
        lambda d: d.month == date.month, (first + n * DAY for n in range(31))
    )


def nearest(date, target):
    """Whether `date` is the weekday of its month that is nearest to its day `target`."""
    there = [d for d in of_same_month(date) if d.day == target]
    working = [d for d in of_same_month(date) if 1 < weekday(d) < 7]
    return bool(there) and date == min(working, key=lambda d: abs(d - there[0]))


def days_before_last(date, days):
    last = max(of_same_month(date))
    return last.day - days


@st.composite
def day_fields(draw):
    """Draw both day fields; the meaning is a predicate on a date."""
    n, k, offset = draw(st.integers(1, 31)), draw(st.integers(1, 5)), draw(st.integers(0, 30))
    day = draw(st.integers(1, 7))
    name = draw(st.sampled_from([str(day), WEEKDAYS[day - 1]]))
    by_number, by_weekday = draw(numbers(1, 31)), draw(numbers(1, 7, WEEKDAYS))
    return draw(
        st.sampled_from(
            [
                Said(f"{by_number.text} ?", lambda d: by_number.means(d.day)),
                Said("L ?", is_last),
                Said(f"L-{offset} ?", lambda d: d.day == days_before_last(d, offset)),
                Said("LW ?", lambda d: nearest(d, days_before_last(d, 0))),
                Said(f"L-{offset}W ?", lambda d: nearest(d, days_before_last(d, offset))),
                Said(f"{n}W ?", lambda d: nearest(d, n)),
                Said(f"? {by_weekday.text}", lambda d: by_weekday.means(weekday(d))),
                Said("? L", lambda d: weekday(d) == 7),
                Said(f"? {name}L", lambda d: weekday(d) == day and is_last(d, 7)),
                Said(f"? {name}#{k}", lambda d: weekday(d) == day and (d.day + 6) // 7 == k),
            ]
        )
    )


@frozen
class Schedule:
    """An expression with its meaning."""

    text: str
    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    is_day: Callable[[dt.date], bool]

    def matches(self, reading):
        return (
            reading.second in self.seconds
            and reading.minute in self.minutes
            and reading.hour in self.hours
            and self.is_day(reading.date())
        )

    def times(self):
        """Return all times of day."""
        return [
            dt.time(*parts) for parts in itertools.product(self.hours, self.minutes, self.seconds)
        ]


@st.composite
def schedules(draw, seconds=None):
    """Draw an expression; `seconds` may hold the first field fast."""
    second = draw(numbers(0, 59) if seconds is None else seconds)
    minute, hour = draw(numbers(0, 59)), draw(numbers(0, 23))
    days, month = draw(day_fields()), draw(numbers(1, 12, MONTHS))
    year = draw(st.just(Said("", lambda _: True)) | numbers(1970, 2099, circular=False))
    of_month, of_week = days.text.split()
    return Schedule(
        f"{second.text} {minute.text} {hour.text} {of_month} {month.text} {of_week} {year.text}",
        frozenset(v for v in range(60) if second.means(v)),
        frozenset(v for v in range(60) if minute.means(v)),
        frozenset(v for v in range(24) if hour.means(v)),
        functools.cache(lambda d: year.means(d.year) and month.means(d.month) and days.means(d)),
    )


STARTS = st.datetimes(
    dt.datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    dt.datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)


@settings(deadline=None)
@given(schedules(), STARTS)
def test_second_by_second(schedule, start):
    """Over an hour and a half: the first second that matches, or none of them."""
    found = quartz.parse(schedule.text).next_after(start)
    first = start.replace(microsecond=0) + SECOND
    seconds = [first + n * SECOND for n in range(5400)]
    matching = next(filter(schedule.matches, seconds), None)
    if matching is not None:
        assert found == matching
    else:
        assert found is None or found > seconds[-1]


@settings(deadline=None)
@given(schedules(), STARTS)
def test_day_by_day(schedule, start):
    """Over four years: the first time of the first day that matches, or none of them."""
    found = quartz.parse(schedule.text).next_after(start)
    times = schedule.times()
    later = [time for time in times if time > start.time()]
    days = [start.date() + n * DAY for n in range(1461)]
    due = (
        dt.datetime.combine(day, min(rest), dt.UTC)
        for day in days
        if (rest := later if day == days[0] else times) and schedule.is_day(day)
    )
    matching = next(due, None)
    if matching is not None:
        assert found == matching
    else:
        assert found is None or found.date() > days[-1]


# Moments near which clocks change: by an hour, by half an hour, over midnight, over the date line.
CHANGES = [
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("America/St_Johns", "2006-10-29T02:31"),
    ("Asia/Beirut", "2022-03-26T22:00"),
    ("Asia/Beirut", "2022-10-29T21:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("UTC", "2026-12-31T23:00"),
]
MINUTES_LOOKED_AT = 3600


NIGHT_IN_OCTOBER = Schedule(
    "0 30 2 25 10 ?",
    frozenset({0}),
    frozenset({30}),
    frozenset({2}),
    lambda date: (date.month, date.day) == (10, 25),
)


@settings(deadline=None)
@example(NIGHT_IN_OCTOBER, CHANGES[1], -10)
@given(
    schedules(seconds=st.just(Said("0", lambda v: v == 0))),
    st.sampled_from(CHANGES),
    st.integers(-2000, 60),
)
def test_minute_by_minute_while_clocks_change(schedule, change, minutes):
    """What matches is a minute whose reading in the zone matches, and no earlier one does."""
    zone = ZoneInfo(change[0])
    start = dt.datetime.fromisoformat(change[1]).replace(tzinfo=dt.UTC) + minutes * MINUTE
    found = quartz.parse(schedule.text).next_after(start.astimezone(zone))
    ahead = [start + n * MINUTE for n in range(1, MINUTES_LOOKED_AT + 1)]
    matching = next((m for m in ahead if schedule.matches(m.astimezone(zone))), None)
    if matching is not None:
        assert found is not None
        assert found.astimezone(dt.UTC) == matching
        return
    if found is None:
        return
    assert schedule.matches(found)
    there = found.astimezone(dt.UTC)
    assert there > ahead[-1]
    before = (there - n * MINUTE for n in range(1, MINUTES_LOOKED_AT))
    assert not any(m > start and schedule.matches(m.astimezone(zone)) for m in before)


@given(st.text(st.sampled_from("0159*?-/,LW#FRI \t"), max_size=20))
def test_any_text_is_read_or_refused(text):
    """Nothing else comes out, and what is read gives a moment that is later, or none."""
    try:
        expression = quartz.parse(text)
    except quartz.CronSyntaxError:
        return
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    found = expression.next_after(now)
    assert found is None or found > now
