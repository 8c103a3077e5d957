"""The table of the lifecycle: closed, and what time, health and a sorry file do is in it."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.policy.windows import any_window, planned, site

from sorryd.model import Cause, Phase
from sorryd.policy.acting import acts, recovered
from sorryd.policy.lifecycle import MOVES, Event, Transition, leap, transition
from sorryd.policy.windows import Standing, arrange, passed, settled, standing, verifying
from sorryd.window import GiveUp, Recovery, Window, WindowKind

SHOP = site("shop", drain=3.0, announce=5.0)
LIVE, ANNOUNCED, DRAINING, DOWN, VERIFYING = Phase


def test_the_table_is_closed() -> None:
    """Each two phases follow each other by some event, but for three that nothing leads to."""
    pairs = {(one.before, one.after) for one in MOVES}
    missing = {(LIVE, VERIFYING), (ANNOUNCED, VERIFYING), (VERIFYING, DRAINING)}
    assert pairs == {(a, b) for a, b in product(Phase, Phase) if a is not b} - missing
    assert {one.event for one in MOVES} == set(Event) - {Event.LEAPT}


def held(phase: Phase, **fields: object) -> Standing:
    cause = None if phase.serves else Cause.WINDOW
    return Standing(phase=phase, **{"cause": cause, **fields})  # type: ignore[arg-type]  # rows


NEXT = planned("next", 100, 200)
FILE, PLANNED = Cause.FILE, WindowKind.PLANNED
ENDED = planned("w", 0, 100, until_healthy=50.0, ended=120)
VERIFIED = planned("w", 0, 100, until_healthy=50.0, ended=120, verified=120.0)
RECOVERED = planned("w", 0, 100, site=None, recovered=(Recovery(site="shop", at=120.0),))
OPENED = planned("w", 0, 100, until_healthy=50.0, gave_up=150.0, give_up=GiveUp.OPEN, ended=150)
STAYED = planned("w", 0, 100, until_healthy=50.0, gave_up=150.0)


@pytest.mark.parametrize(
    ("before", "after", "window", "event"),
    [
        (held(LIVE), held(ANNOUNCED, next=NEXT), None, "announced"),
        (held(ANNOUNCED, next=planned("n", 200, 300)), held(LIVE), None, "cancelled"),
        (held(ANNOUNCED, next=NEXT), held(LIVE), None, "began"),
        (held(ANNOUNCED), held(DRAINING), None, "began"),
        (held(LIVE), held(DOWN), None, "began undrained"),
        (held(LIVE), held(DRAINING, cause=FILE), None, "sorry file appeared"),
        (held(DRAINING), held(DOWN), None, "drained"),
        (held(DRAINING), held(DOWN, cause=FILE), None, "drained"),
        (held(DOWN, until=150.0), held(LIVE), None, "end came"),
        (held(DOWN, until=151.0), held(LIVE), None, "ended"),
        (held(DOWN), held(ANNOUNCED), None, "ended"),
        (held(DOWN, cause=FILE), held(LIVE), None, "sorry file gone"),
        (held(DOWN, cause=FILE), held(DRAINING), None, "sorry file gone"),
        (held(DOWN, until=100.0), held(VERIFYING), None, "to be verified"),
        (held(DOWN), held(VERIFYING), None, "ended"),
        (held(VERIFYING), held(LIVE), VERIFIED, "verified"),
        (held(VERIFYING), held(LIVE), RECOVERED, "verified"),
        (held(VERIFYING), held(LIVE), ENDED, "ended"),
        (held(VERIFYING), held(LIVE), None, "ended"),
        (held(VERIFYING), held(LIVE), OPENED, "gave up open"),
        (held(VERIFYING), held(DOWN), STAYED, "gave up stay"),
        (held(VERIFYING), held(DOWN), None, "began"),
        (held(VERIFYING), held(DOWN, cause=FILE), None, "sorry file appeared"),
        (held(LIVE), held(VERIFYING), None, "leapt"),
        (held(DOWN), held(DRAINING), None, "leapt"),
    ],
)
def test_events(before: Standing, after: Standing, window: Window | None, event: str) -> None:
    """Two standings, and what became of the window, name what happened."""
    move = transition("shop", before, after, 150.0, window)
    assert move == Transition(before=before.phase, after=after.phase, event=Event(event))
    assert (move in MOVES) is (event != "leapt")


def test_no_move() -> None:
    """A site that stays in its phase does not move, whatever else is new."""
    assert transition("shop", held(DOWN), held(DOWN, cause=FILE), 0.0) is None
    assert leap(DOWN, LIVE).event is Event.LEAPT


# Nothing that is done falls on the very instant of an edge, or of something else.
BETWEEN = st.integers(-10, 60).map(lambda second: second + 0.5)
DEEDS = st.sampled_from(["well", "end", "cancel", "file", "gone", "nothing"])


@example([planned("w", 0.0, 1.0, until_healthy=4.0)], [(1.5, "file")])
@example([planned("w", 0.0, 1.0, until_healthy=4.0, drain=6.0)], [])
@given(
    st.lists(any_window(), max_size=5, unique_by=lambda window: window.id),
    st.lists(st.tuples(BETWEEN, DEEDS), max_size=6, unique_by=lambda deed: deed[0]),
)
def test_time_and_health_follow_the_table(
    windows: list[Window], deeds: list[tuple[float, str]]
) -> None:
    """Looked at whenever something changes, a site moves only along the table."""
    world = Walk(windows)
    for at, deed in [*sorted(deeds), (100.0, "nothing")]:
        world.go(at)
        world.do(deed)
    ids = {window.id for window in world.windows.values() if window.is_final}
    assert not any(acts(world.windows[name], now) for name in ids for now in (-100.0, 20.0, 999.0))


class Walk:
    """A site whose clock goes forward, from one instant that matters to the next."""

    def __init__(self, windows: list[Window]) -> None:
        known = [replace(window, ended=None, cancelled=None) for window in windows]
        self.windows = {window.id: window for window in known if window.kind is PLANNED}
        self.by_hand = [
            replace(one, start=one.start + 0.25, end=None if one.end is None else one.end + 0.25)
            for one in known
            if one.kind is not PLANNED
        ]
        self.now = -20.0
        self.file: float | None = None
        self.last = self.standing()

    def go(self, goal: float) -> None:
        while self.now < goal:
            starts = [window.start for window in self.by_hand]
            self.now = min([goal, self.standing().holds_until, *starts])
            self.look()
            for window in tuple(self.by_hand):
                if window.start <= self.now:
                    self.by_hand.remove(window)
                    self.put(window)
                    self.look()

    def look(self) -> None:
        for name in passed(arrange(self.windows.values()), self.now):
            self.windows[name] = settled(self.windows[name], self.now)
        found = self.standing()
        window = self.windows.get(self.last.window or "")
        move = transition("shop", self.last, found, self.now, window)
        assert move is None or move in MOVES, move
        self.last = found

    def standing(self) -> Standing:
        return standing(arrange(self.windows.values()), SHOP, self.now, self.file)

    def do(self, deed: str) -> None:
        match deed:
            case "well":
                for window in verifying(arrange(self.windows.values()), self.now):
                    if window.site in ("shop", None) and "shop" not in window.released:
                        sites = ["shop", "blog"]
                        self.put(recovered(window, "shop", sites, self.now))
            case "end":
                for window in tuple(self.windows.values()):
                    if acts(window, self.now):
                        self.put(replace(window, ended=self.now))
            case "cancel":
                for window in tuple(self.windows.values()):
                    if not window.is_final and not acts(window, self.now):
                        self.put(replace(window, cancelled=self.now))
            case "file" if self.file is None:
                self.file = self.now
            case "gone":
                self.file = None
        self.look()

    def put(self, window: Window) -> None:
        self.windows[window.id] = window
