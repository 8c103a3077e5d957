"""Which windows a calendar shows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.policy.windows import planned

from sorryd.policy.agenda import AHEAD, BEHIND, MOST, agenda, last_change, of_site
from sorryd.policy.instances import Series
from sorryd.window import Window, WindowKind

DAY = 86400.0
NOW = 20_000 * DAY + 1800.0  # half past midnight, UTC
MIDNIGHT = NOW - 1800.0
NIGHTLY = planned("nightly", MIDNIGHT + 7200, MIDNIGHT + 10800, every="FREQ=DAILY")


def shown(
    known: list[Window] | None = None,
    past: list[Window] | None = None,
    series: list[Series] | None = None,
    now: float = NOW,
) -> list[Window]:
    return list(agenda(known or [], past or [], series or [], now))


@pytest.mark.parametrize(
    ("start", "is_there"),
    [(AHEAD - 1, True), (AHEAD + 1, False), (-BEHIND - 3599, True), (-BEHIND - 3601, False)],
)
def test_reach(start: float, is_there: bool) -> None:
    """A year to come is shown, and 90 days that are over."""
    window = planned("w", MIDNIGHT + start, MIDNIGHT + start + 3600)
    past = replace(window, ended=window.end) if start < 0 else None
    found = shown([window] if past is None else [], [] if past is None else [past])
    assert [one.id for one in found] == ["w"] * is_there


def test_ended_early() -> None:
    """A window that was ended early shows the end that it had."""
    window = planned("w", NOW - 7200, NOW + 7200, ended=NOW - 3600)
    assert [one.end for one in shown(past=[window])] == [NOW - 3600]


def test_open_ended() -> None:
    """A down without an end lasts until the next full hour, and is the same until then."""
    down = planned("m", NOW - 600, None, kind=WindowKind.MANUAL)
    (found,) = shown([down])
    assert found.end == MIDNIGHT + 3600
    assert shown([down], now=NOW + 1799) == [found]
    assert shown([down], now=NOW + 1801) != [found]


def test_no_time_is_a_second() -> None:
    """A down that was over at once is an event all the same."""
    down = planned("m", NOW - 600.5, None, kind=WindowKind.MANUAL, ended=NOW - 600.5)
    (found,) = shown(past=[down])
    assert found.end is not None
    assert 0 < found.end - found.start <= 1


def test_series() -> None:
    """A series is its instances for a year; what was done to one of them is in its place."""
    recurs = NIGHTLY.start + DAY
    moved = planned("nightly@2", recurs, recurs + 60, series="nightly", recurs=recurs, sequence=1)
    series = Series(window=NIGHTLY, kept=frozenset({recurs}))
    found = shown([moved], series=[series])
    assert len(found) == 366
    assert [one.sequence for one in found[:3]] == [0, 1, 0]
    assert not any(one.every for one in found)


def test_cancelled_series() -> None:
    """The instances that a cancelled series would have had are there as cancelled."""
    taken_back = replace(NIGHTLY, cancelled=NOW + 2 * DAY)
    found = shown(past=[taken_back], now=NOW + 3 * DAY)
    assert {one.cancelled for one in found} == {NOW + 2 * DAY}
    assert found[0].start == NIGHTLY.start + 2 * DAY
    assert len(found) > 360


def test_not_too_many() -> None:
    """Of more windows than a calendar takes, the first ones are shown."""
    windows = [planned(f"w{index}", NOW + index, NOW + index + 1) for index in range(MOST + 5)]
    found = shown(windows)
    assert len(found) == MOST
    assert found[0].id == "w0"


def test_site() -> None:
    """A site's calendar has its windows, and those for every site that it was not taken out of."""
    windows = [
        planned("shop", NOW, NOW + 1),
        planned("blog", NOW, NOW + 1, site="blog"),
        planned("all", NOW, NOW + 1, site=None),
        planned("others", NOW, NOW + 1, site=None, released=("shop",)),
    ]
    assert [one.id for one in of_site(windows, "shop")] == ["shop", "all"]
    assert len(list(of_site(windows, None))) == 4


def test_last_change() -> None:
    """The last change is the last of all that has happened to a window."""
    window = planned("w", NOW, NOW + 1)
    assert last_change(window) == window.created
    assert last_change(replace(window, changed=5.0, ended=7.0)) == 7.0
