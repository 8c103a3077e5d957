"""Instances of series: tables of zones, clock changes, leap days and month ends."""

from __future__ import annotations

import time
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from sorryd.policy.recurrence import checked, has_first, instants
from sorryd.policy.recurrence_rule import RuleFault
from sorryd.times import format_instant, local_instant, parse_instant

BERLIN = "Europe/Berlin"


def found(
    every: str, first: str, zone: str, number: int = 4, after: str | None = None
) -> list[str]:
    """The first instances, or those after a time, without their seconds."""
    where = ZoneInfo(zone)
    start = parse_instant(first, 0.0, where)
    rule = checked(every, start.instant, where, start.skipped).text
    since = start.instant - 1 if after is None else parse_instant(after, 0.0, where).instant
    some = islice(instants(rule, start.instant, where, since), number)
    return [format_instant(one, where).replace(":00+", "+").replace(":00-", "-") for one in some]


@pytest.mark.parametrize(
    ("zone", "every", "first", "expected"),
    [
        pytest.param(
            BERLIN,
            "daily",
            "2027-03-27 02:30",
            ["03-27T02:30+01:00", "03-28T03:30+02:00", "03-29T02:30+02:00"],
            id="Berlin, in the gap",
        ),
        pytest.param(
            BERLIN,
            "daily",
            "2027-10-30 02:30",
            ["10-30T02:30+02:00", "10-31T02:30+02:00", "11-01T02:30+01:00"],
            id="Berlin, in the hour shown twice",
        ),
        pytest.param(
            BERLIN,
            "daily",
            "2027-03-27 22:00",
            ["03-27T22:00+01:00", "03-28T22:00+02:00", "03-29T22:00+02:00"],
            id="Berlin, over the gap",
        ),
        pytest.param(
            BERLIN,
            "daily",
            "2027-03-28 02:30",
            ["03-28T03:30+02:00", "03-29T02:30+02:00", "03-30T02:30+02:00"],
            id="the first one in the gap: the others at the time that was said",
        ),
        pytest.param(
            BERLIN,
            "FREQ=HOURLY",
            "2027-03-28 02:30",
            ["03-28T03:30+02:00", "03-28T04:30+02:00", "03-28T05:30+02:00"],
            id="hourly from the gap",
        ),
        pytest.param(
            BERLIN,
            "daily",
            "2027-10-31T02:30:00+01:00",
            ["10-31T02:30+01:00", "11-01T02:30+01:00", "11-02T02:30+01:00"],
            id="the first one said with the later offset",
        ),
        pytest.param(
            BERLIN,
            "FREQ=HOURLY",
            "2027-10-31 01:30",
            ["10-31T01:30+02:00", "10-31T02:30+02:00", "10-31T03:30+01:00"],
            id="hourly by the clock: once in the hour shown twice",
        ),
        pytest.param(
            BERLIN,
            "FREQ=HOURLY;BYMINUTE=0,30",
            "2027-03-28 01:30",
            ["03-28T01:30+01:00", "03-28T03:00+02:00", "03-28T03:30+02:00", "03-28T04:00+02:00"],
            id="in order and each once, though skipped times come behind later ones",
        ),
        pytest.param(
            BERLIN,
            "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "2027-03-28 02:30",
            ["03-28T03:30+02:00", "03-26T03:30+02:00", "03-25T03:30+02:00"],
            id="every one in a gap",
        ),
        pytest.param(
            "America/New_York",
            "weekly",
            "2006-03-05 02:30",
            ["03-05T02:30-05:00", "03-12T02:30-05:00", "03-19T02:30-05:00", "03-26T02:30-05:00"],
            id="New York, by the old rules",
        ),
        pytest.param(
            "America/New_York",
            "weekly",
            "2007-03-04 02:30",
            ["03-04T02:30-05:00", "03-11T03:30-04:00", "03-18T02:30-04:00"],
            id="New York, by those since 2007",
        ),
        pytest.param(
            "America/New_York",
            "weekly",
            "2007-10-28 01:30",
            ["10-28T01:30-04:00", "11-04T01:30-04:00", "11-11T01:30-05:00"],
            id="New York, back in November since 2007",
        ),
        pytest.param(
            "Asia/Tokyo",
            "monthly",
            "2027-02-28 02:30",
            ["02-28T02:30+09:00", "03-28T02:30+09:00", "04-28T02:30+09:00"],
            id="Tokyo, no change",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "daily",
            "2027-10-02 02:15",
            ["10-02T02:15+10:30", "10-03T02:45+11:00", "10-04T02:15+11:00"],
            id="Lord Howe, half an hour skipped",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            "daily",
            "2027-04-03 01:45",
            ["04-03T01:45+11:00", "04-04T01:45+11:00", "04-05T01:45+10:30"],
            id="Lord Howe, half an hour twice",
        ),
        pytest.param(
            "Asia/Tehran",
            "FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=1",
            "2021-07-01 02:30",
            ["07-01T02:30+04:30", "07-01T02:30+04:30", "07-01T02:30+03:30", "07-01T02:30+03:30"],
            id="Tehran, no summer time since 2023",
        ),
        pytest.param(
            "America/Sao_Paulo",
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1",
            "2018-01-01 00:30",
            ["01-01T00:30-02:00", "01-01T00:30-02:00", "01-01T00:30-03:00"],
            id="Sao Paulo, no summer time since 2019",
        ),
        pytest.param(
            "America/Sao_Paulo",
            "daily",
            "2018-11-03 00:00",
            ["11-03T00:00-03:00", "11-04T01:00-02:00", "11-05T00:00-02:00"],
            id="Sao Paulo, midnight skipped",
        ),
        pytest.param(
            "Europe/Moscow",
            "daily",
            "2014-10-25 01:30",
            ["10-25T01:30+04:00", "10-26T01:30+04:00", "10-27T01:30+03:00"],
            id="Moscow, from summer time for good to winter time for good",
        ),
        pytest.param(
            "Africa/Casablanca",
            "weekly",
            "2026-02-08 02:30",
            ["02-08T02:30+01:00", "02-15T02:30+01:00", "02-22T02:30+00:00", "03-01T02:30+00:00"],
            id="Casablanca, back for Ramadan",
        ),
        pytest.param(
            "Africa/Casablanca",
            "daily",
            "2026-03-21 02:30",
            ["03-21T02:30+00:00", "03-22T03:30+01:00", "03-23T02:30+01:00"],
            id="Casablanca, ahead after Ramadan",
        ),
        pytest.param(
            "Pacific/Apia",
            "daily",
            "2011-12-29 02:30",
            ["12-29T02:30-10:00", "12-31T02:30+14:00", "01-01T02:30+14:00"],
            id="Apia, a whole day skipped",
        ),
    ],
)
def test_zones(zone: str, every: str, first: str, expected: list[str]) -> None:
    """Each instance is at its local time, once; behind the gap where the clock skips that."""
    assert [one[5:] for one in found(every, first, zone, len(expected))] == expected


@pytest.mark.parametrize(
    ("every", "first", "expected"),
    [
        ("FREQ=YEARLY", "2024-02-29", ["2024-02-29", "2028-02-29", "2032-02-29"]),
        ("monthly", "2027-01-31", ["2027-01-31", "2027-03-31", "2027-05-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2027-01-31", ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2028-01-31", ["2028-01-31", "2028-02-29", "2028-03-31"]),
        ("monthly", "2026-12-30", ["2026-12-30", "2027-01-30", "2027-03-30"]),
        ("FREQ=DAILY;INTERVAL=2", "2028-02-27", ["2028-02-27", "2028-02-29", "2028-03-02"]),
        ("FREQ=MONTHLY;BYDAY=1SU", "2027-03-07", ["2027-03-07", "2027-04-04", "2027-05-02"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", "2027-01-29", ["2027-01-29", "2027-02-26", "2027-03-26"]),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2027-01-29",
            ["2027-01-29", "2027-02-26", "2027-03-31"],
        ),
        (
            "FREQ=WEEKLY;BYDAY=SA,SU;INTERVAL=2;WKST=MO",
            "2027-01-02",
            ["2027-01-02", "2027-01-03", "2027-01-16", "2027-01-17"],
        ),
        ("FREQ=WEEKLY;BYDAY=SU", "2027-01-02", ["2027-01-02", "2027-01-03", "2027-01-10"]),
        ("FREQ=MONTHLY;INTERVAL=6", "2027-08-31", ["2027-08-31", "2028-08-31", "2029-08-31"]),
        ("FREQ=DAILY;COUNT=2", "2027-01-01", ["2027-01-01", "2027-01-02"]),
        ("FREQ=WEEKLY;BYDAY=SU;COUNT=2", "2027-01-02", ["2027-01-02", "2027-01-03"]),
        ("FREQ=DAILY;COUNT=1", "2027-01-01", ["2027-01-01"]),
        ("FREQ=DAILY;UNTIL=20270102", "2027-01-01", ["2027-01-01", "2027-01-02"]),
        ("FREQ=DAILY;UNTIL=20270101T233000Z", "2027-01-01", ["2027-01-01", "2027-01-02"]),
        ("FREQ=DAILY;UNTIL=20270101T225959Z", "2027-01-01", ["2027-01-01"]),
        ("FREQ=YEARLY;INTERVAL=9999", "2027-01-01", ["2027-01-01"]),
        ("daily", "9998-12-30", ["9998-12-30", "9998-12-31"]),
    ],
)
def test_days(every: str, first: str, expected: list[str]) -> None:
    """Leap days, month ends, numbered weekdays, COUNT, which has the first one, and UNTIL."""
    number = len(expected) + (1 if "COUNT" in every or "UNTIL" in every else 0)
    days = [one[:10] for one in found(every, f"{first} 00:00", BERLIN, number)]
    assert days[: len(expected)] == expected
    if number > len(expected) or expected[-1][0] == "9" or "INTERVAL=9999" in every:
        assert len(days) == len(expected)


@pytest.mark.parametrize(
    ("every", "words"),
    [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30: never happens"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "never happens"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "never happens"),
        ("FREQ=DAILY;BYHOUR=1,2;BYSETPOS=3", "never happens"),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=5", "empty"),
        ("FREQ=DAILY;UNTIL=20261231", "UNTIL=20261231T235959: before the first one"),
        ("FREQ=DAILY;UNTIL=20261231T220000Z", "UNTIL: before the first one"),
    ],
)
def test_never(every: str, words: str) -> None:
    """A rule that never happens, or ends before it begins, is refused, and soon."""
    before = time.process_time()
    with pytest.raises(RuleFault) as fault:
        found(every, "2027-01-03 02:00", BERLIN)
    assert words in str(fault.value)
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    ("every", "first", "has"),
    [
        ("weekly", "2027-01-02 02:00", True),
        ("FREQ=WEEKLY;BYDAY=SU", "2027-01-02 02:00", False),
        ("FREQ=WEEKLY;BYDAY=SU", "2027-01-03 02:00", True),
        ("FREQ=DAILY;BYHOUR=3", "2027-01-03 02:00", False),
        ("monthly", "2027-01-31 02:00", True),
    ],
)
def test_first(every: str, first: str, has: bool) -> None:
    """Whether the rule by itself has the first instance is known."""
    zone = ZoneInfo(BERLIN)
    start = parse_instant(first, 0.0, zone).instant
    assert has_first(checked(every, start, zone), start, zone) is has


def test_old_series_are_as_quick_as_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """To find the next instance of a series that began long ago, few others are looked at."""
    looked: list[datetime] = []

    def counted(naive: datetime, zone: ZoneInfo) -> tuple[float, float]:
        looked.append(naive)
        return local_instant(naive, zone)

    monkeypatch.setattr("sorryd.policy.recurrence.local_instant", counted)
    for every in ("daily", "weekly", "monthly", "FREQ=YEARLY", "FREQ=MONTHLY;BYDAY=-1SU"):
        looked.clear()
        found(every, "1971-03-07 02:00", BERLIN, 1, after="2026-11-22 02:00")
        assert len(looked) < 10, every
