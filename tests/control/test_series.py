"""Series of windows, from the command to the phase: their instances come and go by themselves."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace
from tests.control.nights import DAY, coming, nightly, past, to
from tests.control.world import HOUR, NOON, World, result, window

from sorryd.journal import HistoryEntry, WindowPut
from sorryd.messages import Status, WindowList, WindowSchedule


def test_a_series_is_planned(world: World) -> None:
    """A series is answered with its rule and its next instance, and is there after a restart."""
    series = world.ask(nightly())
    assert (series.id, series.every, series.phase) == ("nightly", "FREQ=DAILY", "announced")
    assert series.next is not None
    assert series.next.id == "nightly@2026-11-22T02:00"
    assert series.next.from_ == "2026-11-22T02:00:00+01:00"
    world.restart()
    (listed,) = world.ask(WindowList())
    assert listed == replace(series, warnings=())
    following = world.ask(Status()).sites[0].next
    assert (following.id, following.series) == ("nightly@2026-11-22T02:00", "nightly")


def test_it_happens_every_night(world: World) -> None:
    """Each instance opens and closes on its own, is written down, and is final."""
    world.ask(nightly())
    for night in range(22, 25):
        to(world, f"11-{night}T01:59")
        assert world.phase() == "announced"
        to(world, f"11-{night}T04:59")
        assert world.phase() == "down"
        to(world, f"11-{night}T05:00")
        assert world.phase() == "announced"
    assert past(world) == [(f"nightly@2026-11-{n}T02:00", "ended") for n in range(22, 25)]
    verbs = [entry.verb for entry in world.journal.commits]
    assert verbs == ["window.schedule", *3 * ["window.passed"]]


def test_instances_are_there_eight_days_ahead(world: World) -> None:
    """The edge has all that start within eight days, and of a rare series always the next one."""
    world.ask(nightly())
    world.ask(nightly(id="yearly", every="FREQ=YEARLY", from_="2027-01-01 02:00"))
    for _ in range(30):
        (shop, _) = world.truth.snapshot.sites
        starts = [one.start for one in shop.windows if one.series == "nightly"]
        assert starts == sorted(starts)
        assert max(starts) >= world.wall + 7 * DAY
        assert len([start for start in starts if start > world.wall]) >= 8
        assert [one.id for one in shop.windows if one.series == "yearly"] == [
            "yearly@2027-01-01T02:00"
        ]
        world.wait(DAY)


@pytest.mark.parametrize("step", [-HOUR, -DAY, -30 * DAY])
def test_no_clock_brings_one_back(world: World, step: float) -> None:
    """An instance whose end was seen does not act again, also after a restart."""
    world.ask(nightly())
    to(world, "11-23T05:00")
    began = world.wall
    world.step(step)
    world.restart()
    while world.wall < began:
        assert world.phase() in ("live", "announced")
        world.wait(HOUR / 2)
    to(world, "11-24T03:00")
    assert world.phase() == "down"


def test_the_last_one_missed_is_over(world: World) -> None:
    """What came and went while no daemon ran is over: a clock that steps back does not open it."""
    world.ask(nightly())
    world.step(5 * DAY)
    world.restart()
    assert past(world) == [("nightly@2026-11-26T02:00", "ended")]
    world.step(-9 * HOUR)
    world.truth.look()
    assert world.phase() == "announced"
    assert coming(world, 1) == ["11-27T02:00"]


def test_restart_in_an_instance(world: World) -> None:
    """A daemon that starts within an instance is down, from its beginning to its end."""
    world.ask(nightly())
    world.ask(WindowSchedule(id="before", site="shop", from_="2026-11-22 01:00", for_="65m"))
    to(world, "11-22T03:00")
    world.restart()
    assert world.phase() == "down"
    began = datetime.fromisoformat("2026-11-22T01:00+01:00").timestamp()
    assert world.truth.standing(world.config.sites[0]).since == began
    to(world, "11-22T05:00")
    assert world.phase() == "announced"


def test_it_ends_with_its_last_one(world: World) -> None:
    """A series whose rule gives no more is over with its last instance."""
    answer = world.ask(nightly(every="FREQ=DAILY;COUNT=2"))
    assert answer.every == "FREQ=DAILY;COUNT=2"
    to(world, "11-23T04:00")
    assert world.phase() == "down"
    assert world.ask(WindowList())[0].every is not None
    to(world, "11-23T05:00")
    assert world.phase() == "live"
    assert world.truth.series == ()
    assert world.truth.windows == ()
    over = result(world.journal.get("nightly"))
    assert over is not None
    assert over.is_final
    world.step(-10 * DAY)
    world.restart()
    assert world.truth.windows == ()


def test_an_end_that_the_journal_refuses(world: World) -> None:
    """The end of an instance is final at once, and the journal is asked until it has it."""
    world.ask(nightly())
    to(world, "11-22T03:00")
    world.journal.broken = True
    to(world, "11-22T05:00")
    world.step(-HOUR)
    world.truth.look()
    assert world.phase() == "announced"
    over = [("nightly@2026-11-22T02:00", "ended")]
    assert past(world) == over  # also while the journal does not have it
    world.journal.broken = False
    world.truth.look()
    assert past(world) == over


def test_instances_wait_for_their_members(world: World) -> None:
    """An instance holds its site until the members are healthy; so it is after a restart, and
    when it has waited in vain it stays, while the next ones come all the same."""
    series = window("nightly", NOON, NOON + HOUR, every="FREQ=DAILY", until_healthy=600.0)
    change = WindowPut(window=replace(series, created=NOON))
    result(world.journal.commit((change,), HistoryEntry(at=NOON, verb="window.schedule")))
    world.truth.apply((change,))
    world.wait(HOUR + 60)
    for _ in range(2):
        assert world.phase() == "verifying"
        world.restart()
    world.wait(600)
    for _ in range(2):
        assert world.phase() == "down"
        (stuck, *others) = world.truth.windows
        assert (stuck.id, stuck.gave_up) == ("nightly@2026-11-21T13:00", NOON + HOUR + 600)
        assert others[0].id == "nightly@2026-11-22T13:00"
        world.restart()
    world.wait(DAY - HOUR)
    assert [one.start for one in world.truth.windows[:2]] == [NOON, NOON + DAY]
    assert world.phase() == "down"
