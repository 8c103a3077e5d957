"""Series that are changed or taken back, and planned again."""

from __future__ import annotations

from tests.control.nights import DAY, coming, nightly, past, to
from tests.control.world import ALICE, World, result

from sorryd.messages import WindowCancel, WindowEnd, WindowExtend, WindowGet, WindowPlan
from sorryd.replies import WindowPhase


def test_a_series_is_cancelled(world: World) -> None:
    """A series is taken back with all that is to come; what is open goes on, which is said."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    to(world, "11-22T03:00")
    answer = world.ask(WindowCancel(id="nightly"))
    assert answer.phase is WindowPhase.CANCELLED
    assert answer.warnings == (
        "nightly@2026-11-22T02:00 is open and goes on as it was"
        " (sorryctl end nightly@2026-11-22T02:00 ends it)",
    )
    for _ in range(2):
        assert world.phase() == "down"
        assert coming(world) == ["11-22T02:00"]
        world.restart()
    to(world, "11-22T05:00")
    assert world.phase() == "live"
    assert world.truth.windows == ()
    assert world.refused(nightly()).message == "nightly is over: choose another id"
    world.ask(nightly(id="again", from_="2026-11-23 02:00"))


def test_the_same_again_changes_nothing(world: World) -> None:
    """A series that is planned again as it is stays, also where its first one is another day's."""
    world.ask(nightly(from_="02:00"))
    world.wait(DAY)
    written = len(world.journal.commits)
    again = world.ask(nightly(from_="02:00"))
    assert again.from_ == "2026-11-22T02:00:00+01:00"
    world.ask(nightly())
    assert len(world.journal.commits) == written
    world.ask(nightly(from_="03:00"))
    assert len(world.journal.commits) == written + 1


def test_a_series_is_changed(world: World) -> None:
    """It changes from now on: what is open goes on as it was, what was changed alone is dropped."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    world.ask(WindowCancel(id="nightly@2026-11-25T02:00"))
    to(world, "11-22T03:00")
    answer = world.ask(nightly(from_="2026-11-22 04:00", for_="30m", reason="moved"))
    assert any("is open and goes on as it was" in text for text in answer.warnings)
    assert coming(world, 4) == ["11-22T02:00", "11-22T04:00", "11-23T04:00", "11-24T04:00"]
    for _ in range(2):
        to(world, "11-22T04:50")
        assert world.phase() == "down"
        world.restart()
    to(world, "11-22T05:00")
    assert world.phase() == "announced"
    assert coming(world, 3) == ["11-23T04:00", "11-24T04:00", "11-25T04:00"]
    gone = world.ask(WindowGet(id="nightly@2026-11-24T02:00"))
    assert gone.phase is WindowPhase.CANCELLED


def test_a_changed_series_does_not_reopen(world: World) -> None:
    """An instance that was ended stays ended, though its series is made longer."""
    world.ask(nightly(for_="1h"))
    to(world, "11-22T03:10")
    assert world.phase() == "announced"
    world.ask(nightly(for_="4h"))
    assert world.phase() == "announced"
    world.restart()
    assert world.phase() == "announced"
    to(world, "11-23T05:00")
    assert world.phase() == "down"


def test_a_single_window_becomes_a_series_and_back(world: World) -> None:
    """Under the same id, also while one is open: that goes on."""
    world.ask(nightly(every=None))
    world.ask(nightly())
    assert coming(world, 2) == ["11-22T02:00", "11-23T02:00"]
    world.ask(nightly(every=None))
    assert [one.id for one in world.truth.windows] == ["nightly"]
    to(world, "11-22T03:00")
    world.ask(nightly(from_="2026-11-23 02:00"))
    assert coming(world, 2) == ["11-22T02:00", "11-23T02:00"]
    assert world.phase() == "down"
    to(world, "11-22T05:00")
    assert world.phase() == "announced"
    to(world, "11-23T03:00")
    world.ask(nightly(every=None, from_="2026-11-25 02:00"))
    for _ in range(2):
        assert world.phase() == "down"
        assert {one.id for one in world.truth.windows} >= {"nightly", "nightly@2026-11-23T02:00"}
        world.restart()
    to(world, "11-24T03:00")
    assert world.phase() == "announced"


def test_a_series_that_is_just_being_changed(world: World) -> None:
    """An end that comes while the journal takes a change of the series is not written over it."""
    world.ask(nightly())
    to(world, "11-22T04:59:59")
    world.journal.waiting = []
    asked = world.commands.execute(nightly(reason="changed"), ALICE)
    world.wait(2)
    world.journal.let_go()
    result(asked)
    world.truth.look()
    assert world.phase() == "announced"
    world.restart()
    (series,) = world.truth.series
    assert series.window.reason == "changed"
    assert past(world) == [("nightly@2026-11-22T02:00", "ended")]


def test_the_zone_is_changed(world: World) -> None:
    """A name that the journal has for another instant stays that one's: the other has an offset."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    world.ask(nightly(timezone="UTC"))
    assert world.ask(WindowGet(id="nightly@2026-11-24T02:00")).phase is WindowPhase.CANCELLED
    offset = "11-24T02:00+00:00"
    for _ in range(2):
        assert coming(world) == ["11-22T02:00", "11-23T02:00", offset]
        plan = world.ask(WindowPlan(days=20)).windows
        assert [one.id for one in plan][2:4] == [
            f"nightly@2026-{offset}",
            "nightly@2026-11-25T02:00",
        ]
        world.restart()
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00Z", by="1h"))
    to(world, "11-24T06:30")
    assert world.ask(WindowEnd(id="nightly")).id == f"nightly@2026-{offset}"
    assert past(world)[-2:] == [
        ("nightly@2026-11-24T02:00", "cancelled"),
        (f"nightly@2026-{offset}", "ended"),
    ]


def test_the_zone_is_changed_while_one_is_open(world: World) -> None:
    """What is open keeps its name, though in the new zone that is an instance to come."""
    world.ask(nightly())
    to(world, "11-22T02:30")
    world.ask(nightly(timezone="UTC"))
    for _ in range(2):
        assert coming(world) == ["11-22T02:00", "11-22T02:00+00:00", "11-23T02:00"]
        world.restart()
    assert world.ask(WindowEnd(id="nightly@2026-11-22T02:00")).until == "2026-11-22T05:00:00+01:00"
    assert world.phase() == "announced"
    to(world, "11-22T03:30")
    assert world.phase() == "down"
