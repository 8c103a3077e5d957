"""Very many windows: what is worked out, and how often. Counted, not timed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.control.world import HOUR, NOON, World, result, window

from sorryd.journal import HistoryEntry, WindowPut
from sorryd.messages import SiteUp, Status, WindowCancel, WindowGet, WindowPlan
from sorryd.policy import windows as policy
from sorryd.policy.acting import acts
from sorryd.policy.instances import recurrences
from sorryd.window import Window

DAY = 24 * HOUR
RULES = ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY;BYDAY=-1SU")
SINGLE, SERIES = 1800, 200


def many() -> Iterator[Window]:
    """Windows of a year, and old series; some at each hour."""
    for number in range(SINGLE):
        start = NOON + DAY + number * 365 * DAY / SINGLE
        yield window(f"o{number}", start, start + HOUR, site=("shop", "blog", None)[number % 3])
    for number in range(SERIES):
        start = NOON - (number + 1) * 5 * DAY + number % 24 * HOUR
        yield window(
            f"s{number}",
            start,
            start + HOUR,
            site=("shop", "blog")[number % 2],
            every=RULES[number % 3],
            created=NOON,
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A daemon that was started with all of them."""
    world = World(str(tmp_path / "sorryd.db"))
    puts = tuple(WindowPut(window=one) for one in many())
    result(world.journal.commit(puts, HistoryEntry(at=NOON, verb="window.schedule")))
    world.restart()
    yield world
    world.journal.close()


@contextmanager
def counted(
    monkeypatch: pytest.MonkeyPatch, path: str, real: Callable[..., Any]
) -> Iterator[list[Any]]:
    """The first arguments with which what is at `path` is called meanwhile."""
    calls: list[Any] = []

    def count(*args: Any) -> Any:
        calls.append(args[0])
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(path, count)
        yield calls


EXPANDED = ("sorryd.control.series.recurrences", recurrences)
STOOD = ("sorryd.control.calendar.standing", policy.standing)
PLACED = ("sorryd.control.arranged.place_of", policy.place_of)


def test_looking_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing changes, a look follows no rule, sorts no windows and asks no standing."""
    world.wait(HOUR / 12)  # until what has just opened has drained
    seen = len(world.published)
    with (
        counted(monkeypatch, *EXPANDED) as expanded,
        counted(monkeypatch, *STOOD) as stood,
        counted(monkeypatch, *PLACED) as placed,
    ):
        for _ in range(50):
            world.wait(1)
        world.ask(Status())
        world.ask(WindowGet(id="o7"))
    assert (expanded, stood, placed) == ([], [], [])
    assert len(world.published) == seen


def test_status_asks_the_few(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status looks at the windows that have opened, whatever is to come."""
    with counted(monkeypatch, "sorryd.control.answers.acts", acts) as asked:
        world.ask(Status())
        world.ask(Status(ahead="7d"))
    assert len(asked) < 20


def test_a_plan_of_what_is_open_at_once_is_short(world: World) -> None:
    """Of the many windows that one overlaps with, a plan tells the first ones and how many more."""
    puts = tuple(WindowPut(window=window(f"x{n}", NOON + n, NOON + HOUR)) for n in range(200))
    result(world.journal.commit(puts, HistoryEntry(at=NOON, verb="window.schedule")))
    world.truth.apply(puts)
    for one in world.ask(WindowPlan(days=1)).windows:
        assert len(one.warnings) < 20
        if one.id == "x0":
            assert one.warnings[-1].startswith("overlaps 1")


def test_a_change_costs_what_it_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command places the windows that it changes, and follows the rules of these alone."""
    name = [one.id for one in world.truth.windows if one.series == "s0"][-1]
    with counted(monkeypatch, *EXPANDED) as expanded, counted(monkeypatch, *PLACED) as placed:
        world.ask(WindowCancel(id=name))
        world.ask(WindowCancel(id="o9"))
    assert {one.id for one in expanded} == {"s0"}
    assert len(placed) < 20


def test_each_rule_is_followed_once_in_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a day, the rule of a series is followed for each of its instances that are over."""
    with counted(monkeypatch, *EXPANDED) as expanded:
        for _ in range(96):
            world.wait(HOUR / 4)
    over = sum(one.verb == "window.passed" for one in world.journal.commits)
    assert over > SERIES / 3
    assert len(expanded) < 3 * over


def test_standing_is_asked_of_the_few(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standing is worked out from the windows that have opened, whatever is to come."""
    with counted(monkeypatch, "sorryd.policy.windows.acts", acts) as asked:
        for view in world.truth.snapshot.sites:
            assert len(view.windows) > 500
            policy.standing(view.windows, view.site, world.wall)
    assert 0 < len(asked) < 20


def test_up_ends_what_is_open(world: World) -> None:
    """Among all these, ``up`` ends just what is open."""
    while world.phase() not in ("draining", "down"):
        world.wait(HOUR / 2)
    before = {one.id for one in world.truth.windows if not one.is_final}
    world.ask(SiteUp(site="shop"))
    assert world.phase() in ("live", "announced")
    after = {one.id for one in world.truth.windows if not one.is_final}
    assert len(before - after) < 20
