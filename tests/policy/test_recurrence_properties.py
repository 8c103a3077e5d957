"""Instances of series: what is so of all of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sorryd.policy.recurrence import instants
from sorryd.policy.recurrence_rule import parse
from sorryd.times import local_instant

ZONES = st.sampled_from(
    (
        *("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"),
        *("Asia/Tehran", "America/Sao_Paulo", "Europe/Moscow", "Africa/Casablanca"),
        *("Pacific/Apia", "America/St_Johns", "Africa/Cairo", "UTC"),
    )
).map(ZoneInfo)
STARTS = st.integers(1_100_000_000, 2_000_000_000).map(float)
PARTS = st.sampled_from(
    (
        *("", ";BYHOUR=0,2,3", ";BYMONTHDAY=-1,31", ";BYDAY=SU", ";BYDAY=MO,WE,FR"),
        *(";BYMONTH=3,10,11", ";BYMINUTE=0,30", ";BYMONTH=2;BYMONTHDAY=29"),
        *(";BYDAY=MO,TU;BYSETPOS=-1", ";BYDAY=-1SU", ";BYHOUR=1,2;BYMINUTE=15,45"),
    )
)


@st.composite
def any_rule(draw: st.DrawFn) -> str:
    """A rule of any frequency."""
    frequency = draw(st.sampled_from(("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    part = draw(PARTS)
    if ("BYMONTHDAY" in part and frequency == "WEEKLY") or (
        "-1SU" in part and frequency not in ("MONTHLY", "YEARLY")
    ):
        part = ""
    interval = draw(st.sampled_from((1, 1, 1, 2, 3, 5))) if "BYHOUR" not in part else 1
    end = draw(st.sampled_from(("", "", ";COUNT=7", ";UNTIL=20330101T000000")))
    return parse(f"FREQ={frequency};INTERVAL={interval}{part}{end}").text


@given(any_rule(), STARTS, ZONES)
def test_they_grow(every: str, start: float, zone: ZoneInfo) -> None:
    """Instants grow, and the first is the one that was asked for."""
    found = list(islice(instants(every, start, zone), 40))
    assert found[0] == start
    assert all(one < other for one, other in pairwise(found))


@given(any_rule(), STARTS, ZONES)
def test_they_are_those_of_the_rule(every: str, start: float, zone: ZoneInfo) -> None:
    """They are the local times that dateutil finds, each as an instant, and no others."""
    first = datetime.fromtimestamp(start, zone).replace(tzinfo=None, fold=0)
    rule = parse(every)
    until = rule.until_local or datetime(9000, 1, 1)
    times = takewhile(lambda one: one <= until, rrulestr(rule.by, dtstart=first))
    some = list(islice(times, 30))
    expected = {local_instant(one, zone)[0] for one in some}
    expected = {start, *(one for one in expected if one > start)}
    last = local_instant(some[-1] - timedelta(days=2), zone)[0] if some else start
    found = list(islice(instants(every, start, zone), 40))
    within = [one for one in sorted(expected) if one <= last]
    assert [one for one in found if one <= last] == within[: rule.count]


@settings(max_examples=200)
@given(any_rule(), STARTS, ZONES, st.integers(-100, 3000), st.integers(0, 86400))
def test_wherever_one_begins(
    every: str, start: float, zone: ZoneInfo, days: int, seconds: int
) -> None:
    """Asked for from any instant on, they are those found from the start."""
    after = start + days * 86400.0 + seconds
    near = list(islice(instants(every, start, zone, after), 5))
    far = (one for one in instants(every, start, zone) if one > after)
    assert near == list(islice(far, 5))


@given(STARTS, ZONES)
def test_nightly_is_every_night_once(start: float, zone: ZoneInfo) -> None:
    """A daily one is at the same local time each day, and only in a gap at another."""
    first = datetime.fromtimestamp(start, zone).replace(tzinfo=None, fold=0)
    found = list(islice(instants("FREQ=DAILY", start, zone), 400))
    wanted = [first + timedelta(days=number) for number in range(402)]
    plain = {start, *(at for at, shift in (local_instant(one, zone) for one in wanted))}
    assert found == sorted(one for one in plain if one >= start)[:400]
    for one in found[1:]:
        local = datetime.fromtimestamp(one, zone)
        if local.time() != first.time():
            skipped = (local_instant(day, zone) for day in wanted)
            assert any(at == one and shift > 0 for at, shift in skipped)
