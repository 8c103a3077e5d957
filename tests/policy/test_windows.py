"""Windows and a clock give the standing of a site."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sorryd.model import Author, Cause, Phase, Window, WindowKind
from sorryd.policy.windows import Standing, acts, arrange, is_continued, passed, standing

ALICE = Author(uid=1000, name="alice", pid=42)
DRAIN = 10.0
ANNOUNCE = 100.0


def planned(
    name: str,
    start: float,
    end: float | None,
    *,
    site: str | None = "shop",
    reason: str = "",
    drain: float | None = None,
    ended: float | None = None,
    cancelled: float | None = None,
    released: tuple[str, ...] = (),
) -> Window:
    return Window(
        id=name,
        site=site,
        kind=WindowKind.PLANNED,
        start=start,
        end=end,
        reason=reason,
        timezone="UTC",
        author=ALICE,
        created=0.0,
        drain=drain,
        ended=ended,
        cancelled=cancelled,
        released=released,
    )


def manual(name: str, start: float, end: float | None = None, reason: str = "") -> Window:
    return msgspec.structs.replace(planned(name, start, end), kind=WindowKind.MANUAL, reason=reason)


def at(now: float, *windows: Window) -> Standing:
    return standing(arrange(windows), "shop", DRAIN, ANNOUNCE, now)


NIGHT = planned("night", 1000, 2000, reason="database")


@pytest.mark.parametrize(
    ("now", "phase", "holds"),
    [
        pytest.param(899, Phase.LIVE, (-math.inf, 900), id="long before"),
        pytest.param(900, Phase.ANNOUNCED, (900, 1000), id="announced"),
        pytest.param(999.999, Phase.ANNOUNCED, (900, 1000), id="a moment before"),
        pytest.param(1000, Phase.DRAINING, (1000, 1010), id="start is in it"),
        pytest.param(1010, Phase.DOWN, (1010, 2000), id="drained"),
        pytest.param(1999.999, Phase.DOWN, (1010, 2000), id="a moment before its end"),
        pytest.param(2000, Phase.LIVE, (2000, math.inf), id="end is not in it"),
    ],
)
def test_one_window(now: float, phase: Phase, holds: tuple[float, float]) -> None:
    """A window goes through its phases at its instants, and says how long each one holds."""
    found = at(now, NIGHT)
    assert found.phase is phase
    assert (found.holds_from, found.holds_until) == holds
    assert found.next == (NIGHT if now < 1000 else None)


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(planned("w", 1000, 2000, ended=1400), id="ended"),
        pytest.param(planned("w", 1000, 2000, cancelled=900), id="cancelled"),
        pytest.param(planned("w", 1000, 2000, site="blog"), id="of another site"),
        pytest.param(planned("w", 1000, 2000, site=None, released=("shop",)), id="released"),
        pytest.param(planned("w", 2000, 1000), id="ends before it starts"),
    ],
)
def test_windows_that_do_not_act(window: Window) -> None:
    """What is final, elsewhere or released neither acts nor is announced."""
    assert at(1500, window) == Standing(
        phase=Phase.LIVE, holds_from=at(1500, window).holds_from, holds_until=math.inf
    )
    assert at(950, window).phase is Phase.LIVE
    assert at(950, window).next is None


def test_every_site() -> None:
    """A window without a site is every site's."""
    assert at(1500, planned("w", 1000, 2000, site=None)).phase is Phase.DOWN


@pytest.mark.parametrize(
    ("windows", "now", "since", "until"),
    [
        pytest.param([(0, 20), (10, 30)], 5, 0, 30, id="overlap, seen from the first"),
        pytest.param([(0, 20), (10, 30)], 25, 0, 30, id="overlap, seen from the second"),
        pytest.param([(0, 20), (20, 30)], 20, 0, 30, id="touching"),
        pytest.param([(0, 20), (21, 30)], 5, 0, 20, id="apart"),
        pytest.param([(0, 20), (21, 30)], 25, 21, 30, id="apart, the second"),
        pytest.param([(0, 50), (10, 30)], 40, 0, 50, id="one within the other"),
        pytest.param([(0, 20), (10, 30), (30, 40), (35, 60)], 25, 0, 60, id="a chain"),
        pytest.param([(0, 20), (10, None)], 5, 0, None, id="an open end"),
    ],
)
def test_union(
    windows: list[tuple[float, float | None]], now: float, since: float, until: float | None
) -> None:
    """Windows that overlap or touch are one down-time, from its first start to its last end."""
    found = at(now, *(planned(f"w{n}", *window) for n, window in enumerate(windows)))
    assert (found.since, found.until) == (since, until)


def test_drain_begins_once() -> None:
    """A window that opens in a down-time starts no second draining."""
    windows = planned("a", 0, 100, drain=5), planned("b", 50, 200, drain=30)
    assert [at(now, *windows).phase for now in (4, 5, 50, 101)] == [
        Phase.DRAINING,
        Phase.DOWN,
        Phase.DOWN,
        Phase.DOWN,
    ]


@pytest.mark.parametrize(
    ("ended", "end", "phase"),
    [
        pytest.param(100, 100, Phase.DOWN, id="it ran out as the next began"),
        pytest.param(120, 120, Phase.DOWN, id="it overlapped the next"),
        pytest.param(100, 150, Phase.DRAINING, id="ended by hand, the next begins anew"),
    ],
)
def test_an_ended_window_is_the_past_of_the_next(ended: float, end: float, phase: Phase) -> None:
    """Once an end is journaled, the window that goes on still does not drain again."""
    first = planned("a", 0, end, ended=ended)
    found = at(125 if ended == 120 else 105, first, planned("b", 100, 300, drain=50))
    assert found.phase is phase
    assert found.window == "b"
    assert is_continued(first, found.since) is (phase is Phase.DOWN)


@pytest.mark.parametrize(
    ("windows", "window", "cause", "reason"),
    [
        pytest.param(
            [planned("p", 0, 100, reason="plan"), manual("m", 50, reason="hand")],
            "m",
            Cause.MANUAL,
            "hand",
            id="manual over window",
        ),
        pytest.param(
            [planned("p", 0, 100, reason="plan"), manual("m", 50)],
            "m",
            Cause.MANUAL,
            "plan",
            id="without a reason, the next one's",
        ),
        pytest.param(
            [planned("b", 0, 100, reason="first"), planned("a", 10, 100, reason="second")],
            "b",
            Cause.WINDOW,
            "first",
            id="the first to open",
        ),
        pytest.param([planned("p", 0, 100)], "p", Cause.WINDOW, None, id="no reason at all"),
    ],
)
def test_precedence(windows: list[Window], window: str, cause: Cause, reason: str | None) -> None:
    """A manual window governs a planned one, else the one that opened first does."""
    found = at(60, *windows)
    assert (found.window, found.cause, found.reason) == (window, cause, reason)


def test_the_end_in_the_operator_s_words() -> None:
    """A down-time without a known end carries what the operator said of it."""
    down = msgspec.structs.replace(manual("m", 0), until_text="12pm Central Time")
    found = at(60, down, planned("p", 0, 100))
    assert (found.until, found.until_text) == (None, "12pm Central Time")


def test_manual_outlives_a_step_back() -> None:
    """A clock stepped back an hour reopens no site that an operator took down."""
    found = at(10_000 - 3600, manual("m", 10_000))
    assert (found.phase, found.until) == (Phase.DOWN, None)


def test_next_while_down() -> None:
    """While down, the next window is the next one to start, also where it prolongs this one."""
    found = at(15, planned("a", 0, 20), planned("b", 18, 30), planned("c", 40, 50))
    assert found.next is not None
    assert found.next.id == "b"
    assert found.holds_until == 18


def test_passed() -> None:
    """The ends to journal are those that have come and are not yet final."""
    windows = arrange(
        [
            planned("over", 0, 10),
            planned("just over", 0, 20),
            planned("open", 0, 21),
            planned("open-ended", 0, None),
            planned("ended", 0, 10, ended=10),
            planned("cancelled", 0, 10, cancelled=0),
            planned("to come", 30, 40),
            manual("by hand", 0, 15),
        ]
    )
    assert set(passed(windows, 20)) == {"over", "just over", "by hand"}


def test_many_windows() -> None:
    """Ten thousand windows to come are not looked through."""

    looked = []

    class Watched(tuple[Window, ...]):
        def __iter__(self) -> Iterator[Window]:
            for window in super().__iter__():
                looked.append(window)
                yield window

    windows = Watched(arrange(planned(f"w{n}", n * 10, n * 10 + 5) for n in range(10_000)))
    looked.clear()
    assert standing(windows, "shop", DRAIN, ANNOUNCE, -1).phase is Phase.ANNOUNCED
    assert standing(windows, "shop", DRAIN, ANNOUNCE, 12).phase is Phase.DRAINING
    assert passed(windows, 7) == ("w0",)
    assert len(looked) < 10


# --- properties -----------------------------------------------------------------------------

TIMES = st.integers(0, 40).map(float)
KINDS = st.sampled_from(WindowKind)


@st.composite
def any_window(draw: st.DrawFn) -> Window:
    """A window of any kind; what ended did so between its start and its end."""
    start = draw(TIMES)
    end = draw(st.none() | st.integers(int(start), 45).map(float))
    over = draw(st.none() | st.integers(int(start), 45).map(float))
    window = planned(
        f"w{draw(st.integers(0, 999))}",
        start,
        end,
        site=draw(st.sampled_from(["shop", "blog", None])),
        reason=draw(st.sampled_from(["", "database", "disks"])),
        drain=draw(st.none() | st.integers(0, 9).map(float)),
        ended=over if over is None or end is None else min(over, end),
        cancelled=draw(st.sampled_from([None, None, None, 0.0])),
        released=draw(st.sampled_from([(), (), ("shop",)])),
    )
    return msgspec.structs.replace(window, kind=draw(KINDS))


WINDOWS = st.lists(any_window(), max_size=6)
NOW = st.integers(-40, 200).map(lambda quarter: quarter / 4)


def look(windows: Sequence[Window], now: float, shift: float = 0) -> Standing:
    return standing(arrange(windows), "shop", 3.0, 5.0, now + shift)


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


@given(WINDOWS, NOW)
def test_down_is_the_union(windows: list[Window], now: float) -> None:
    """A site is down exactly while at least one window acts on it; brute force agrees."""
    acting = [
        window
        for window in windows
        if window.ended is None
        and window.cancelled is None
        and window.site in ("shop", None)
        and "shop" not in window.released
        and (window.kind is WindowKind.MANUAL or window.start <= now)
        and (window.end is None or now < window.end)
    ]
    found = look(windows, now)
    assert (found.phase.serves) is (not acting)
    if acting:
        assert found.window in {window.id for window in acting}
    else:
        assert found.window is None


@given(WINDOWS, NOW)
def test_until_is_the_end(windows: list[Window], now: float) -> None:
    """A down-time goes on until its end, and at its end the site is up."""
    found = look(windows, now)
    if found.phase.serves:
        assert found.until is None
        return
    last = 60.0 if found.until is None else found.until
    quarters = range(int(now * 4), int(last * 4))
    assert not any(look(windows, quarter / 4).phase.serves for quarter in quarters)
    if found.until is not None:
        assert look(windows, found.until).phase.serves


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
    journaled = [
        msgspec.structs.replace(window, ended=window.end) if window.id in ends else window
        for window in windows
    ]
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
