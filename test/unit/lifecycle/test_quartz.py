"""Quartz expressions: the moments are recorded from Quartz 2.4 itself, in UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from flinkop.lifecycle import quartz

BERLIN = ZoneInfo("Europe/Berlin")
APIA = ZoneInfo("Pacific/Apia")


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def following(expression, start, count=1):
    """Return the next `count` moments after `start`, as texts."""
    found, moment = [], start
    for _ in range(count):
        moment = quartz.parse(expression).next_after(moment)
        if moment is None:
            break
        found.append(moment.isoformat())
    return found


@pytest.mark.parametrize(
    ("expression", "first", "second"),
    [
        ("0 0 12 * * ?", "2026-01-01 12:00:00", "2026-01-02 12:00:00"),
        ("0/15 * * * * ?", "2026-01-01 00:00:15", "2026-01-01 00:00:30"),
        ("0 */5 * ? * *", "2026-01-01 00:05:00", "2026-01-01 00:10:00"),
        ("0 /25 * ? * *", "2026-01-01 00:25:00", "2026-01-01 00:50:00"),
        ("0 10-50/20 0 ? * *", "2026-01-01 00:10:00", "2026-01-01 00:30:00"),
        ("0 0 22-2/2 ? * *", "2026-01-01 02:00:00", "2026-01-01 22:00:00"),
        ("0 0 9 ? * FRI-MON", "2026-01-02 09:00:00", "2026-01-03 09:00:00"),
        ("0 0 9 ? * mon,WED,Thursday", "2026-01-01 09:00:00", "2026-01-05 09:00:00"),
        ("0 0 9 ? * 1", "2026-01-04 09:00:00", "2026-01-11 09:00:00"),
        ("0 0 9 ? * L", "2026-01-03 09:00:00", "2026-01-10 09:00:00"),
        ("0 0 9 ? * 6L", "2026-01-30 09:00:00", "2026-02-27 09:00:00"),
        ("0 0 9 ? * fril", "2026-01-30 09:00:00", "2026-02-27 09:00:00"),
        ("0 0 9 ? * 6#3", "2026-01-16 09:00:00", "2026-02-20 09:00:00"),
        ("0 0 9 ? * FRI#2", "2026-01-09 09:00:00", "2026-02-13 09:00:00"),
        ("0 0 9 ? * FRI#5", "2026-01-30 09:00:00", "2026-05-29 09:00:00"),
        ("0 0 9 L * ?", "2026-01-31 09:00:00", "2026-02-28 09:00:00"),
        ("0 0 9 L-3 * ?", "2026-01-28 09:00:00", "2026-02-25 09:00:00"),
        ("0 0 9 LW * ?", "2026-01-30 09:00:00", "2026-02-27 09:00:00"),
        ("0 0 9 L-3W * ?", "2026-01-28 09:00:00", "2026-02-25 09:00:00"),
        ("0 0 9 15W * ?", "2026-01-15 09:00:00", "2026-02-16 09:00:00"),
        ("0 0 9 1W 8 ?", "2026-08-03 09:00:00", "2027-08-02 09:00:00"),
        ("0 0 9 31W 1,5 ?", "2026-01-30 09:00:00", "2026-05-29 09:00:00"),
        ("0 0 9 31 * ?", "2026-01-31 09:00:00", "2026-03-31 09:00:00"),
        ("0 0 9 29 FEB ?", "2028-02-29 09:00:00", "2032-02-29 09:00:00"),
        ("0 0 9 1 NOV-FEB ?", "2026-01-01 09:00:00", "2026-02-01 09:00:00"),
        ("0 0 9 1 1 ? 2030/10", "2030-01-01 09:00:00", "2040-01-01 09:00:00"),
        ("0 0 9 1 1 ? 2027,2031-2033", "2027-01-01 09:00:00", "2031-01-01 09:00:00"),
    ],
)
def test_what_comes_next_is_what_quartz_says(expression, first, second):
    """Two moments each, from the first second of 2026 on, a Thursday."""
    start = utc("2026-01-01")
    expected = [f"{moment.replace(' ', 'T')}+00:00" for moment in (first, second)]
    assert following(expression, start, 2) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 0 30 FEB ?",
        "0 0 0 31 4,6,9,11 ?",
        "0 0 0 L-30 2 ?",
        "0 0 0 31W 4 ?",
        "0 0 0 1 1 ? 1970-2025",
        "0 0 0 1 1 ? 2026",
    ],
)
def test_what_never_comes_again_is_none(expression):
    """Days that no month has, and years that are over."""
    assert quartz.parse(expression).next_after(utc("2026-01-01")) is None


def test_the_end_of_time():
    """2099 is the last year, 1970 the first."""
    daily = quartz.parse("0 0 0 * * ?")
    assert following("0 0 0 * * ?", utc("2099-12-30 12:00")) == ["2099-12-31T00:00:00+00:00"]
    assert daily.next_after(utc("2099-12-31")) is None
    assert daily.next_after(dt.datetime.max.replace(tzinfo=dt.UTC)) is None
    assert daily.next_after(dt.datetime.min.replace(tzinfo=BERLIN)) == dt.datetime(
        1970, 1, 1, tzinfo=BERLIN
    )


def test_strictly_after():
    """Of a matching second, the next; within a second, what the next second brings."""
    every = quartz.parse("* * * * * ?")
    assert every.next_after(utc("2026-01-01 00:00:00")) == utc("2026-01-01 00:00:01")
    assert every.next_after(utc("2026-01-01 00:00:00.999999")) == utc("2026-01-01 00:00:01")


def test_a_moment_needs_a_zone():
    """Without one it says nothing about when."""
    with pytest.raises(ValueError, match="time zone"):
        quartz.parse("* * * * * ?").next_after(dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_readings_that_are_skipped():
    """2:30 does not exist on 2026-03-29 in Berlin: not due that day, and the hours go on."""
    start = dt.datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    assert following("0 30 2 * * ?", start) == ["2026-03-30T02:30:00+02:00"]
    assert following("0 30 1-3 * * ?", start, 3) == [
        "2026-03-29T01:30:00+01:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T01:30:00+02:00",
    ]


def test_readings_that_come_twice():
    """2:30 comes twice on 2026-10-25 in Berlin, and is due twice; so no schedule has a hole."""
    start = dt.datetime(2026, 10, 25, tzinfo=BERLIN)
    twice = ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]
    assert following("0 30 2 * * ?", start, 3) == [*twice, "2026-10-26T02:30:00+01:00"]
    assert following("0 30 2 25 10 ?", start, 3) == [*twice, "2027-10-25T02:30:00+02:00"]
    second = dt.datetime(2026, 10, 25, 2, 45, tzinfo=BERLIN)
    assert following("0 30 2 25 10 ?", second) == ["2026-10-25T02:30:00+01:00"]
    assert following("0 30 2 25 10 ?", second.replace(fold=1)) == ["2027-10-25T02:30:00+02:00"]
    hours = following("0 0 * * * ?", start, 4)
    assert [moment[11:13] + moment[19:] for moment in hours] == [
        "01+02:00",
        "02+02:00",
        "02+01:00",
        "03+01:00",
    ]


def test_a_day_that_never_was():
    """Samoa went over the date line and had no 2011-12-30."""
    start = dt.datetime(2011, 12, 29, 13, tzinfo=APIA)
    assert following("0 0 12 * * ?", start) == ["2011-12-31T12:00:00+14:00"]
    assert following("0 0 12 30 12 ? 2011", start) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "has 0 fields, write 6 or 7"),
        ("* * * * *", "has 5 fields"),
        ("0 0 0 1 1 ? 2026 x", "has 8 fields"),
        ("60 0 0 1 1 ?", "seconds: 60 is out of range, write 0 to 59"),
        ("0 x 0 1 1 ?", "minutes: cannot read 'X', write 0 to 59"),
        ("0 0 24 1 1 ?", "hours: 24 is out of range, write 0 to 23"),
        ("0 0 0 0 1 ?", "day of month: 0 is out of range, write 1 to 31"),
        ("0 0 0 1 13 ?", "month: 13 is out of range, write 1 to 12 or JAN to DEC"),
        ("0 0 0 ? * 8", "day of week: 8 is out of range, write 1 to 7 or SUN to SAT"),
        ("0 0 0 ? * FUN", "day of week: cannot read 'FUN'"),
        ("0 0 0 1 1 ? 1969", "year: 1969 is out of range, write 1970 to 2099"),
        ("0 0 0 1 1 ? 2030-2029", "year: 2030-2029 ends before it begins"),
        ("0/60 0 0 1 1 ?", "seconds: cannot use '60' as a step, write 1 to 59 after /"),
        ("0 0/0 0 1 1 ?", "minutes: cannot use '0' as a step"),
        ("0 0/ 0 1 1 ?", "minutes: cannot use '' as a step"),
        ("0 1,,2 0 1 1 ?", "minutes: cannot read ''"),
        ("0 1-2-3 0 1 1 ?", "minutes: cannot read '2-3'"),
        ("0 ? 0 1 1 ?", "minutes: cannot read '?'"),
        ("0 ١ 0 1 1 ?", "minutes: cannot read '١'"),  # noqa: RUF001 - a digit, but not Quartz's
        ("0 0 0 1 1 1", "day of month and day of week are both given, write ? for one"),
        ("0 0 0 ? 1 ?", "day of month and day of week are both ?, write one"),
        ("0 0 0 15W,20 1 ?", "day of month: cannot read '15W,20': L and W stand alone"),
        ("0 0 0 L-31 1 ?", "day of month: L-31 is out of range, write at most L-30"),
        ("0 0 0 32W 1 ?", "day of month: 32 is out of range"),
        ("0 0 0 ? 1 6#6", "day of week: cannot read '6#6', write 1 to 5 after #"),
        ("0 0 0 ? 1 8L", "day of week: 8 is out of range"),
        ("0 0 0 ? 1 6L,2", "day of week: cannot read '6L'"),
    ],
)
def test_what_is_no_expression(expression, words):
    """The field that is wrong comes first, then what is wrong and what would be right."""
    with pytest.raises(quartz.CronSyntaxError) as error:
        quartz.parse(expression)
    assert words in str(error.value)


def test_equal_expressions():
    """Expressions are values: however they are written, the same readings make them equal."""
    assert quartz.parse("0  0/30 * ? jan-dec sun-sat") == quartz.parse("0 0,30 * ? * *\t1970/1")
    assert quartz.parse("0 0 0 L * ?") != quartz.parse("0 0 0 LW * ?")
