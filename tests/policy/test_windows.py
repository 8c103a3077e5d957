"""Windows and a clock give the standing of a site: tables."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import pytest
from tests.policy.windows import planned, site

from sorryd.model import Cause, Phase
from sorryd.policy.windows import Standing, arrange, is_continued, passed, standing
from sorryd.window import Scope, Window, WindowKind

SHOP = site("shop", drain=10.0, announce=100.0)


def manual(name: str, start: float, end: float | None = None, reason: str = "") -> Window:
    return msgspec.structs.replace(planned(name, start, end), kind=WindowKind.MANUAL, reason=reason)


def at(now: float, *windows: Window) -> Standing:
    return standing(arrange(windows), SHOP, now)


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
    assert is_continued(first, found) is (phase is Phase.DOWN)


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
    assert standing(windows, SHOP, -1).phase is Phase.ANNOUNCED
    assert standing(windows, SHOP, 12).phase is Phase.DRAINING
    assert passed(windows, 7) == ("w0",)
    assert len(looked) < 10


def test_a_part_of_the_site() -> None:
    """Windows of paths and methods act beside a live site, and are announced as all are."""
    part = planned("part", 1000, 2000, scope=Scope(paths=("/a",)))
    assert at(950, part).phase is Phase.ANNOUNCED
    found = at(1500, part, planned("night", 5000, 6000))
    assert (found.phase, found.partial) == (Phase.LIVE, (part,))
    assert (found.holds_from, found.holds_until) == (1000, 2000)
    assert at(2000, part).partial == ()
    down = at(1500, part, planned("night", 1400, 6000))
    assert (down.phase, down.partial, down.since) == (Phase.DOWN, (part,), 1400)
