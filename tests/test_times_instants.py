"""Times, and time zones, as people write them."""

from __future__ import annotations

import contextlib
import datetime
import math
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorryd import times
from sorryd.times import TimeFault, format_instant, parse_instant, parse_zone

BERLIN = ZoneInfo("Europe/Berlin")  # 2026: +1 h on 29 March at 02:00, back on 25 October at 03:00
NEW_YORK = ZoneInfo("America/New_York")  # 8 March at 02:00, 1 November at 02:00
TOKYO = ZoneInfo("Asia/Tokyo")  # no clock changes
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # half an hour: 5 April at 02:00, 4 October at 02:00
APIA = ZoneInfo("Pacific/Apia")  # had no 30 December 2011
ZONES = (BERLIN, NEW_YORK, TOKYO, LORD_HOWE, APIA, ZoneInfo("UTC"))


def at(text: str) -> float:
    """The instant of RFC 3339, by the standard library."""
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-11-22T02:00:00+09:00", BERLIN, "2026-11-21T17:00:00+00:00"),
        ("2026-11-22T02:00:00Z", TOKYO, "2026-11-22T02:00:00+00:00"),
        ("2026-11-22t02:00:00z", TOKYO, "2026-11-22T02:00:00+00:00"),
        ("2026-11-22 02:00:00-05:30", TOKYO, "2026-11-22T07:30:00+00:00"),
        ("2026-11-22T02:00:00.25Z", TOKYO, "2026-11-22T02:00:00.250000+00:00"),
        ("2026-11-22T02:00:00.1234567Z", TOKYO, "2026-11-22T02:00:00.123456+00:00"),
        ("2026-11-22T02:00:00-00:00", TOKYO, "2026-11-22T02:00:00+00:00"),
        ("2026-11-22T02:00+0900", BERLIN, "2026-11-22T02:00:00+09:00"),
        ("2026-11-22 02:00 +09:00", BERLIN, "2026-11-22T02:00:00+09:00"),
        ("2026-11-22 02:00", TOKYO, "2026-11-22T02:00:00+09:00"),
        ("2026-11-22 02:00:30", BERLIN, "2026-11-22T02:00:30+01:00"),
        ("2026-11-22T02:00", NEW_YORK, "2026-11-22T02:00:00-05:00"),
        ("2026-07-01 02:00", NEW_YORK, "2026-07-01T02:00:00-04:00"),
        ("2026-11-22", TOKYO, "2026-11-22T00:00:00+09:00"),
        ("  2026-11-22  ", LORD_HOWE, "2026-11-22T00:00:00+11:00"),
        ("2028-02-29 12:00", BERLIN, "2028-02-29T12:00:00+01:00"),
        ("1970-01-01T00:00:00Z", TOKYO, "1970-01-01T00:00:00+00:00"),
        ("9998-12-31T23:59:59Z", TOKYO, "9998-12-31T23:59:59+00:00"),
    ],
)
def test_full_times(text: str, zone: ZoneInfo, instant: str) -> None:
    """An offset rules; without one the zone's own at that moment does; nothing is warned of."""
    assert parse_instant(text, 0.0, zone) == times.Resolved(instant=at(instant))


@pytest.mark.parametrize(
    ("text", "now", "zone", "instant"),
    [
        ("now", "2026-11-21T12:00:00.500000+00:00", TOKYO, "2026-11-21T12:00:00.500000+00:00"),
        ("+90m", "2026-11-21T12:00:00+00:00", TOKYO, "2026-11-21T13:30:00+00:00"),
        ("+0", "2026-11-21T12:00:00+00:00", TOKYO, "2026-11-21T12:00:00+00:00"),
        ("02:00", "2026-11-21T01:59:59+09:00", TOKYO, "2026-11-21T02:00:00+09:00"),
        ("02:00", "2026-11-21T02:00:00+09:00", TOKYO, "2026-11-22T02:00:00+09:00"),
        ("02:00", "2026-11-21T23:00:00+09:00", TOKYO, "2026-11-22T02:00:00+09:00"),
        ("02:00:30", "2026-11-21T02:00:10+09:00", TOKYO, "2026-11-21T02:00:30+09:00"),
        # The day is the zone's, not UTC's.
        ("02:00", "2026-11-21T16:30:00+00:00", TOKYO, "2026-11-21T17:00:00+00:00"),
        ("today 02:00", "2026-11-21T12:00:00+09:00", TOKYO, "2026-11-21T02:00:00+09:00"),
        ("today  23:00", "2026-11-21T16:30:00+00:00", TOKYO, "2026-11-22T23:00:00+09:00"),
        ("tomorrow 02:00", "2026-11-21T01:00:00+09:00", TOKYO, "2026-11-22T02:00:00+09:00"),
        ("tomorrow 02:00", "2026-12-31T12:00:00+01:00", BERLIN, "2027-01-01T02:00:00+01:00"),
        # A day of 23 hours, and one of 25: "tomorrow" is the calendar's.
        ("tomorrow 12:00", "2026-03-28T12:00:00+01:00", BERLIN, "2026-03-29T12:00:00+02:00"),
        ("12:00", "2026-10-24T12:00:00+02:00", BERLIN, "2026-10-25T12:00:00+01:00"),
        ("+24h", "2026-03-28T12:00:00+01:00", BERLIN, "2026-03-29T13:00:00+02:00"),
    ],
)
def test_relative_times(text: str, now: str, zone: ZoneInfo, instant: str) -> None:
    """A time of day is the next one in the zone; + counts real time."""
    assert parse_instant(text, at(now), zone) == times.Resolved(instant=at(instant))


@pytest.mark.parametrize(
    ("text", "now", "zone", "instant", "warning"),
    [
        ("2026-03-29 02:30", "2026-01-01T00:00:00Z", BERLIN, "2026-03-29T03:30:00+02:00",
         "the clock in Europe/Berlin skips 2026-03-29 02:30: 2026-03-29 03:30+02:00 is taken"),
        ("2026-03-29 02:00", "2026-01-01T00:00:00Z", BERLIN, "2026-03-29T03:00:00+02:00",
         "the clock in Europe/Berlin skips 2026-03-29 02:00: 2026-03-29 03:00+02:00 is taken"),
        ("2026-10-25 02:30", "2026-01-01T00:00:00Z", BERLIN, "2026-10-25T02:30:00+02:00",
         "the clock in Europe/Berlin shows 2026-10-25 02:30 twice: the first is taken"),
        ("2026-03-08 02:30:15", "2026-01-01T00:00:00Z", NEW_YORK, "2026-03-08T03:30:15-04:00",
         "the clock in America/New_York skips 2026-03-08 02:30:15: "
         "2026-03-08 03:30:15-04:00 is taken"),
        ("2026-11-01 01:30", "2026-01-01T00:00:00Z", NEW_YORK, "2026-11-01T01:30:00-04:00",
         "the clock in America/New_York shows 2026-11-01 01:30 twice: the first is taken"),
        ("2026-10-04 02:15", "2026-01-01T00:00:00Z", LORD_HOWE, "2026-10-04T02:45:00+11:00",
         "the clock in Australia/Lord_Howe skips 2026-10-04 02:15: "
         "2026-10-04 02:45+11:00 is taken"),
        ("2026-04-05 01:45", "2026-01-01T00:00:00Z", LORD_HOWE, "2026-04-05T01:45:00+11:00",
         "the clock in Australia/Lord_Howe shows 2026-04-05 01:45 twice: the first is taken"),
        ("2011-12-30 12:00", "2011-01-01T00:00:00Z", APIA, "2011-12-31T12:00:00+14:00",
         "the clock in Pacific/Apia skips 2011-12-30 12:00: 2011-12-31 12:00+14:00 is taken"),
        ("02:30", "2026-03-28T20:00:00+01:00", BERLIN, "2026-03-29T03:30:00+02:00",
         "the clock in Europe/Berlin skips 2026-03-29 02:30: 2026-03-29 03:30+02:00 is taken"),
        ("tomorrow 02:30", "2026-10-24T20:00:00+02:00", BERLIN, "2026-10-25T02:30:00+02:00",
         "the clock in Europe/Berlin shows 2026-10-25 02:30 twice: the first is taken"),
        ("02:30", "2026-10-25T02:10:00+01:00", BERLIN, "2026-10-26T02:30:00+01:00",
         "the first 02:30 of today is past: 2026-10-26 02:30 is taken"),
        ("2016-12-31T23:59:60Z", "2016-01-01T00:00:00Z", TOKYO, "2017-01-01T00:00:00Z",
         "2016-12-31T23:59:60Z is a leap second: the next second is taken"),
        ("2017-01-01T08:59:60.5+09:00", "2016-01-01T00:00:00Z", TOKYO, "2017-01-01T00:00:00Z",
         "2017-01-01T08:59:60.5+09:00 is a leap second: the next second is taken"),
    ],
)  # fmt: skip
def test_clock_changes(text: str, now: str, zone: ZoneInfo, instant: str, warning: str) -> None:
    """A skipped time is read by the offset before the gap, a repeated one is the first; told."""
    resolved = parse_instant(text, at(now), zone)
    assert (resolved.instant, resolved.warnings) == (at(instant), (warning,))
    assert (resolved.skipped > 0) is (" skips " in warning)


@pytest.mark.parametrize(
    "text", ["2026-03-29 01:59:59", "2026-03-29 03:00", "2026-10-25 01:59", "2026-10-25 03:00"]
)
def test_beside_a_clock_change(text: str) -> None:
    """The times just beside a change are plain ones: nothing is warned of."""
    assert parse_instant(text, 0.0, BERLIN).warnings == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "(nothing): not a time"),
        ("soon", "soon: not a time (say 2026-11-22 02:00, 02:00,"),
        ("12pm Central Time", "not a time"),
        ("2:00", "not a time"),
        ("yesterday 02:00", "not a time"),
        ("2026-11-22 02", "not a time"),
        ("2026-13-01", "there is no such day"),
        ("2026-02-29", "there is no such day"),
        ("2026-11-22 24:00", "the clock goes from 00:00:00 to 23:59:59"),
        ("02:60", "the clock goes from 00:00:00 to 23:59:59"),
        ("02:00:60", "the clock goes from 00:00:00 to 23:59:59"),
        ("2026-11-22T02:00:60Z", "no leap second falls there"),
        ("2026-11-22T02:00:00+24:00", "there is no offset +24:00"),
        ("2026-11-22T02:00:00+09:60", "there is no offset +09:60"),
        ("99999-01-01", "not a time"),
        ("9999-12-31", "not within the years 1970 to 9998"),
        ("9999-12-31T23:59:59-23:59", "not within the years 1970 to 9998"),
        ("0001-01-01T00:00:00+23:59", "not within the years 1970 to 9998"),
        ("0001-01-01", "not within the years 1970 to 9998"),
        ("0000-01-01", "there is no such day"),
        ("1969-12-31T23:59:59Z", "not within the years 1970 to 9998"),
        ("1970-01-01T00:00:00+01:00", "not within the years 1970 to 9998"),
        ("9998-12-31T23:59:59-01:00", "not within the years 1970 to 9998"),
        ("1970-01-01", "not within the years 1970 to 9998"),
        ("+", "not a duration"),
        ("+-5m", "a duration cannot be negative"),
        ("+90", "a duration needs a unit"),
        ("+999999999d", "longer than a hundred years"),
        ("\u0660\u0662:\u0660\u0660", "not a time"),
        ("2026-11-22\n02:00", "not a time"),
        ("9" * 10000, "not a time"),
    ],
)
def test_no_times(text: str, why: str) -> None:
    """What is no time is refused with a reason in one short printable line."""
    with pytest.raises(TimeFault) as caught:
        parse_instant(text, at("2026-11-21T12:00:00Z"), BERLIN)
    assert why in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_beyond_the_last_year() -> None:
    """A duration that leads out of the calendar is refused."""
    with pytest.raises(TimeFault, match="not within the years"):
        parse_instant("+36500d", at("9990-01-01T00:00:00Z"), BERLIN)


@given(
    st.text() | st.from_regex(r"\+?[0-9:TZ .+\-dhms]{0,30}|(to\w+ )?\d\d:\d\d", fullmatch=True),
    st.sampled_from(ZONES),
)
def test_any_text(text: str, zone: ZoneInfo) -> None:
    """Whatever is written, the answer is an instant that can be written, or a TimeFault."""
    with contextlib.suppress(TimeFault):
        resolved = parse_instant(text, 1.8e9, zone)
        assert math.isfinite(resolved.instant)
        assert format_instant(resolved.instant, zone)


@given(st.integers(0, 253370764800_000_000 - 1), st.sampled_from(ZONES))
def test_instants_there_and_back(microseconds: int, zone: ZoneInfo) -> None:
    """What is written is read as the same instant, in any zone and without a warning."""
    instant = microseconds // 1_000_000 + microseconds % 1_000_000 // 1000 * 0.001
    resolved = parse_instant(format_instant(instant, zone), 0.0, TOKYO)
    assert resolved.warnings == ()
    assert resolved.instant == pytest.approx(instant, abs=1e-4, rel=0)


@given(st.floats(1e8, 4e9), st.times(), st.sampled_from(ZONES))
def test_the_next_time_of_day(now: float, clock: datetime.time, zone: ZoneInfo) -> None:
    """A bare time of day is always to come, within two days of it."""
    resolved = parse_instant(clock.strftime("%H:%M:%S"), now, zone)
    assert now < resolved.instant <= now + 2 * 86400 + 3600


@pytest.mark.parametrize(
    ("instant", "zone", "text"),
    [
        ("2026-11-22T02:00:00Z", TOKYO, "2026-11-22T11:00:00+09:00"),
        ("2026-11-22T02:00:00Z", ZoneInfo("UTC"), "2026-11-22T02:00:00+00:00"),
        ("2026-07-01T00:00:00.250Z", NEW_YORK, "2026-06-30T20:00:00.250000-04:00"),
        ("2026-10-25T00:30:00Z", BERLIN, "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T01:30:00Z", BERLIN, "2026-10-25T02:30:00+01:00"),
        ("2026-12-01T00:00:00Z", LORD_HOWE, "2026-12-01T11:00:00+11:00"),
        ("1971-01-01T00:00:00Z", ZoneInfo("Africa/Monrovia"), "1971-01-01T00:00:00+00:00"),
    ],
)
def test_instants_written(instant: str, zone: ZoneInfo, text: str) -> None:
    """An instant is written as RFC 3339 with the zone's offset at that moment."""
    assert format_instant(at(instant), zone) == text


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Berln", "../../etc/passwd", "/etc/passwd", "a\0b", "x" * 5000]
)
def test_no_zones(name: str) -> None:
    """What names no zone is refused, whatever the file system makes of it."""
    with pytest.raises(TimeFault, match="no time zone of that name is known"):
        parse_zone(name)


def test_a_zone() -> None:
    """An IANA name gives the zone."""
    assert parse_zone("Asia/Tokyo").key == "Asia/Tokyo"
