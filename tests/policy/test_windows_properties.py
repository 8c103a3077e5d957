"""Windows and a clock give the standing of a site: what is so of all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st
from tests.policy.windows import any_window, planned, site

from sorryd.policy.acting import acts
from sorryd.policy.windows import Standing, arrange, passed, settled, standing
from sorryd.window import GiveUp, Scope, Window, WindowKind

SHOP = site("shop", drain=3.0, announce=5.0)


WINDOWS = st.lists(any_window(), max_size=6)
NOW = st.integers(-40, 200).map(lambda quarter: quarter / 4)


def look(windows: Sequence[Window], now: float, shift: float = 0) -> Standing:
    return standing(arrange(windows), SHOP, now + shift)


@given(WINDOWS, NOW, st.floats(0, 1, exclude_max=True))
@example([planned("open", 0, None), planned("empty", 39, 39)], 3.0, 0.5)
def test_a_standing_holds_where_it_says(windows: list[Window], now: float, share: float) -> None:
    """Between its two instants a standing is the same at every instant."""
    found = look(windows, now)
    assert found.holds_from <= now < found.holds_until
    earliest = max(found.holds_from, -100)
    latest = min(found.holds_until, 200)
    other = min(earliest + share * (latest - earliest), math.nextafter(latest, -math.inf))
    assert look(windows, other) == found


def is_waiting(window: Window, now: float) -> bool:
    """Whether a window that is over waits for healthy members, or gave up and stays."""
    if window.until_healthy is None or window.end is None or window.end <= window.start:
        return False
    return window.give_up is GiveUp.STAY or now < window.end + window.until_healthy


@given(WINDOWS, NOW)
def test_down_is_the_union(windows: list[Window], now: float) -> None:
    """A site is down exactly while at least one window acts on it; brute force agrees."""
    acting = [
        window
        for window in windows
        if window.scope == Scope()
        and window.ended is None
        and window.cancelled is None
        and window.site in ("shop", None)
        and "shop" not in window.released
        and (window.kind is WindowKind.MANUAL or window.start <= now)
        and (window.end is None or now < window.end or is_waiting(window, now))
    ]
    found = look(windows, now)
    assert (found.phase.serves) is (not acting)
    if acting:
        assert found.window in {window.id for window in acting}
    else:
        assert found.window is None


@given(WINDOWS, NOW)
def test_until_is_the_end(windows: list[Window], now: float) -> None:
    """A down-time goes on until its end, and then the site is up, or has to be verified."""
    found = look(windows, now)
    if found.phase.serves:
        assert found.until is None
        return
    if found.until is None and any(window.until_healthy for window in windows):
        return
    last = 60.0 if found.until is None else found.until
    quarters = range(int(now * 4), int(last * 4))
    assert not any(look(windows, quarter / 4).phase.serves for quarter in quarters)
    if found.until is not None:
        waits = any(is_waiting(window, found.until) for window in windows)
        assert look(windows, found.until).phase.serves or waits
        assert look(windows, found.until).until is None


@given(WINDOWS, NOW)
def test_an_ended_window_never_acts(windows: list[Window], now: float) -> None:
    """What is final governs no standing, is never next, and has no end left to journal."""
    final = {window.id for window in windows if window.is_final}
    alive = {window.id for window in windows if not window.is_final}
    found = look(windows, now)
    assert found.window not in final - alive
    assert found.next is None or not found.next.is_final
    assert set(passed(arrange(windows), now)) <= alive
    assert not any(acts(window, now) for window in windows if window.is_final)


@given(WINDOWS, NOW)
def test_journaling_the_ends_changes_nothing(windows: list[Window], now: float) -> None:
    """Making final what has passed leaves phase, cause, since and until as they were."""
    names = {window.id for window in windows}
    if len(names) < len(windows):
        return
    ends = set(passed(arrange(windows), now))
    journaled = [settled(window, now) if window.id in ends else window for window in windows]
    before, after = look(windows, now), look(journaled, now)
    assert (before.phase, before.cause, before.window) == (after.phase, after.cause, after.window)
    assert (before.since, before.until) == (after.since, after.until)


@given(WINDOWS, NOW, st.integers(-1000, 1000))
def test_shifting(windows: list[Window], now: float, shift: int) -> None:
    """Moving all windows and the clock by the same time moves the answer, and nothing else."""

    def moved(instant: float | None) -> float | None:
        return None if instant is None else instant + shift

    later = [
        msgspec.structs.replace(
            window, start=window.start + shift, end=moved(window.end), ended=moved(window.ended)
        )
        for window in windows
    ]
    found, expected = look(later, now, shift), look(windows, now)
    assert (found.phase, found.window) == (expected.phase, expected.window)
    assert (found.since, found.until) == (moved(expected.since), moved(expected.until))
    assert found.holds_until == expected.holds_until + shift
