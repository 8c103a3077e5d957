"""The truth: what it publishes, journals and tells when windows begin and end."""

from __future__ import annotations

import pytest
from tests.control.world import HOUR, NOON, World, result, window
from twisted.logger import capturedLogs, formatEvent

from sorryd.journal import HistoryEntry, WindowPut
from sorryd.policy.windows import standing
from sorryd.reports import EdgePassed
from sorryd.window import Window, WindowKind


def plan(world: World, *windows: Window) -> None:
    changes = tuple(WindowPut(window=window) for window in windows)
    result(world.journal.commit(changes, HistoryEntry(at=world.wall, verb="window.schedule")))
    world.truth.apply(changes)


def test_the_first_look_publishes(world: World) -> None:
    """A daemon that starts publishes the sites as configured, once."""
    (snapshot,) = world.published
    assert snapshot.serial == 1
    assert [view.site.name for view in snapshot.sites] == ["shop", "blog"]
    assert [view.weight for view in snapshot.sites[0].members] == [3, 1, 1]
    world.truth.look()
    assert len(world.published) == 1


def test_a_window_begins_and_ends_on_its_own(world: World) -> None:
    """A window is published ahead, acts at its time, is journaled as over, and forgotten."""
    plan(world, window("w", NOON + 10, NOON + 100))
    assert world.published[-1].serial == 2
    assert world.wakes[-1] == NOON + 10
    phases = {}
    for _ in range(11):
        phases[world.wall - NOON] = world.phase()
        world.wait(10)
    assert phases == {
        0: "announced",
        **dict.fromkeys((10, 20, 30), "draining"),
        **dict.fromkeys(range(40, 100, 10), "down"),
        100: "live",
    }
    assert world.published[-1].sites[0].windows == ()
    assert world.truth.windows == ()
    over = result(world.journal.get("w"))
    assert over is not None
    assert over.ended == NOON + 100
    assert [entry.verb for entry in world.journal.commits] == ["window.schedule", "window.passed"]


def test_a_snapshot_carries_the_site_s_windows_in_order(world: World) -> None:
    """Each site gets the windows that concern it, arranged for the policy."""
    plan(
        world,
        window("late", NOON + 500, NOON + 600),
        window("every", NOON + 100, NOON + 200, site=None),
        window("blog", NOON, NOON + 200, site="blog"),
    )
    shop, blog = world.published[-1].sites
    assert [window.id for window in shop.windows] == ["every", "late"]
    assert [window.id for window in blog.windows] == ["blog", "every"]


@pytest.mark.parametrize("step", [-HOUR, HOUR, -50 * HOUR])
def test_an_ended_window_is_not_reopened(world: World, step: float) -> None:
    """Once its end was seen, no clock brings a window back."""
    plan(world, window("w", NOON + 10, NOON + 100), window("m", NOON, NOON + 100))
    world.wait(100)
    assert world.phase() == "live"
    world.step(step)
    for _ in range(200):
        world.wait(60)
        assert world.phase() == "live"
    world.restart()
    assert world.ids() == set()


def test_a_down_by_hand_outlives_a_clock_that_steps_back(world: World) -> None:
    """A down holds until it is ended, whatever the clock shows."""
    plan(world, window("m", NOON, None, kind=WindowKind.MANUAL))
    world.step(-HOUR)
    world.truth.look()
    assert world.phase() == "down"


def test_a_clock_step_opens_and_is_told(world: World) -> None:
    """A clock that steps forward into a window opens it, and the log says why."""
    plan(world, window("w", NOON + HOUR, NOON + 2 * HOUR))
    with capturedLogs() as events:
        world.step(HOUR + 60)
        world.truth.look()
    assert world.phase() == "down"
    lines = [formatEvent(event) for event in events]
    assert lines[0].startswith("the wall clock was set forward by 1h1m;")
    assert lines[1] == "site shop: announced -> down (planned, window w: 'disks')"


def test_slow_clocks_are_no_step(world: World) -> None:
    """A wall clock that is slewed tells nothing."""
    with capturedLogs() as events:
        for _ in range(100):
            world.wall += 0.5
            world.wait(1)
    assert events == []


def test_restart_in_a_window(world: World) -> None:
    """A daemon that starts within a window is down, still drained, and ends it."""
    plan(world, window("a", NOON, NOON + 60), window("b", NOON + 50, NOON + 200))
    world.wait(61)
    assert world.phase() == "down"
    world.restart()
    assert world.phase() == "down"
    assert world.ids() == {"b"}
    assert world.truth.standing(world.config.sites[0]).since == NOON
    world.wait(139)
    assert world.phase() == "live"
    assert world.truth.windows == ()


def test_restart_after_a_window(world: World) -> None:
    """A window whose time came and went while no daemon ran does not act, and is over."""
    plan(world, window("w", NOON + 10, NOON + 100))
    world.step(200)
    world.restart()
    assert world.phase() == "live"
    assert world.journal.commits[-1].verb == "window.passed"
    world.step(-150)
    world.truth.look()
    assert world.phase() == "live"


def test_the_edge_draws_the_same_conclusion(world: World) -> None:
    """The policy over a published snapshot alone gives what the truth says."""
    plan(world, window("a", NOON, NOON + 60), window("b", NOON + 50, NOON + 200, site=None))
    for _ in range(25):
        for view in world.published[-1].sites:
            seen = standing(view.windows, view.site, world.wall)
            assert seen == world.truth.standing(view.site)
        world.wait(10)


def test_an_end_that_the_journal_refuses(world: World) -> None:
    """An end is final at once; the journal is asked until it has it, and told of once."""
    plan(world, window("w", NOON, NOON + 100))
    world.journal.broken = True
    with capturedLogs() as events:
        world.wait(100)
        world.wait(1)
        world.step(-50)
        world.truth.look()
    assert world.phase() == "live"
    assert world.truth.find("w") is not None
    lines = [formatEvent(event) for event in events if event["log_level"].name == "error"]
    assert lines == [
        "the end of window w is not in the journal yet: sorryd.db: disk I/O error",
        "what sorryd observes is not in the journal yet: sorryd.db: disk I/O error",
    ]
    world.journal.broken = False
    world.truth.look()
    assert world.journal.commits[-1].verb == "window.passed"
    assert world.truth.find("w") is None
    written = len(world.journal.commits)
    world.truth.look()
    assert len(world.journal.commits) == written


def test_a_slow_journal_is_asked_once(world: World) -> None:
    """While the journal writes an end, it is not asked to do so again."""
    plan(world, window("w", NOON, NOON + 100))
    world.journal.waiting = []
    world.wait(100)
    world.wait(1)
    assert [entry.verb for entry in world.journal.commits].count("window.passed") == 1
    world.journal.let_go()
    over = result(world.journal.get("w"))
    assert over is not None
    assert over.is_final


def test_a_reserved_window_does_not_end(world: World) -> None:
    """The end of a window that is just being changed is not observed."""
    plan(world, window("w", NOON, NOON + 100))
    with world.truth.reserved(frozenset({"w"})):
        world.wait(100)
        assert world.ids() == {"w"}
    world.truth.look()
    assert world.ids() == set()


def test_the_edge_saw_it_first(world: World) -> None:
    """A phase change that the edge reports is looked into at once."""
    plan(world, window("w", NOON, NOON + 100))
    world.step(100)
    world.truth.report(EdgePassed(site="shop", at=world.wall))
    assert world.ids() == set()
