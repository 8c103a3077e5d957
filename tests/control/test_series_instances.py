"""Single instances of series: cancelled, changed, ended and listed."""

from __future__ import annotations

import pytest
from tests.control.nights import coming, nightly, past, to
from tests.control.world import HOUR, World

from sorryd.errors import ErrorCode
from sorryd.messages import (
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowList,
)
from sorryd.replies import WindowPhase


def test_one_instance_is_cancelled(world: World) -> None:
    """One instance is taken back, however its time is spelled, and the others stay; it is final."""
    world.ask(nightly())
    answer = world.ask(WindowCancel(id="nightly@2026-11-23 02:00"))
    assert (answer.id, answer.phase) == ("nightly@2026-11-23T02:00", "cancelled")
    world.ask(WindowCancel(id="nightly@2026-12-24T02:00:00+01:00"))
    assert coming(world) == ["11-22T02:00", "11-24T02:00", "11-25T02:00"]
    world.restart()
    assert coming(world) == ["11-22T02:00", "11-24T02:00", "11-25T02:00"]
    world.ask(nightly(reason="another"))
    to(world, "11-23T03:00")
    assert world.phase() == "announced"
    for _ in range(62):
        world.wait(HOUR * 12)
    assert ("nightly@2026-12-24T02:00", "cancelled") in past(world)
    assert ("nightly@2026-12-24T02:00", "ended") not in past(world)
    error = world.refused(WindowCancel(id="nightly@2026-11-23 02:00"))
    assert (error.code, error.message) == (
        ErrorCode.CONFLICT,
        "nightly@2026-11-23T02:00 was cancelled",
    )


def test_the_next_one_is_known_however_far(world: World) -> None:
    """Where the next instance is taken back, the one behind it is the next, months ahead too."""
    world.ask(nightly(every="monthly", from_="2027-02-07 02:00"))
    world.ask(WindowCancel(id="nightly@2027-02-07T02:00"))
    for _ in range(2):
        assert world.ask(Status(site="shop")).sites[0].next.id == "nightly@2027-03-07T02:00"
        world.restart()


def test_one_instance_is_changed(world: World) -> None:
    """One instance to come is prolonged and the others are not; it stays so after a restart."""
    world.ask(nightly())
    world.ask(WindowExtend(id="nightly@2026-11-23T02:00", by="1h"))
    world.restart()
    to(world, "11-22T05:00")
    assert world.phase() == "announced"
    to(world, "11-23T05:30")
    assert world.phase() == "down"
    to(world, "11-23T06:00")
    assert world.phase() == "announced"
    to(world, "11-24T05:00")
    assert world.phase() == "announced"


def test_the_open_one_is_meant(world: World) -> None:
    """`extend` and `end` of a series act on the instance that is open, and need one."""
    world.ask(nightly())
    for request in (WindowExtend(id="nightly", by="1h"), WindowEnd(id="nightly")):
        error = world.refused(request)
        assert error.code == ErrorCode.CONFLICT
        assert "say one, such as nightly@2026-11-22T02:00" in error.message
    to(world, "11-22T03:00")
    longer = world.ask(WindowExtend(id="nightly", by="30m"))
    assert (longer.id, longer.until) == ("nightly@2026-11-22T02:00", "2026-11-22T05:30:00+01:00")
    to(world, "11-22T05:10")
    assert world.phase() == "down"
    assert world.ask(WindowEnd(id="nightly")).phase is WindowPhase.ENDED
    assert world.phase() == "announced"
    world.restart()
    assert world.phase() == "announced"
    to(world, "11-23T03:00")
    assert world.phase() == "down"


@pytest.mark.parametrize("waited", [60.0, 1200.0], ids=["verifying", "waited in vain"])
def test_the_one_that_waits_is_meant(world: World, waited: float) -> None:
    """`extend` and `end` of a series act on the instance that holds its site for its members."""
    world.ask(nightly(until_healthy="10m"))
    to(world, "11-22T05:00")
    world.wait(waited)
    assert world.phase() in ("verifying", "down")
    longer = world.ask(WindowExtend(id="nightly", until="+30m"))
    assert (longer.id, longer.gave_up) == ("nightly@2026-11-22T02:00", None)
    world.wait(HOUR / 2)
    assert world.phase() == "verifying"
    world.wait(waited)
    world.ask(WindowEnd(id="nightly"))
    assert world.phase() == "announced"


def test_one_that_waits_and_one_that_is_open(world: World) -> None:
    """Where an instance has waited until the next one opened, `end` asks which is meant."""
    world.ask(nightly(until_healthy="10m"))
    to(world, "11-23T03:00")
    both = "nightly@2026-11-22T02:00, nightly@2026-11-23T02:00"
    assert world.refused(WindowEnd(id="nightly")).message == (
        f"several instances of nightly are open: say one of {both}"
    )


def test_up_ends_the_open_one(world: World) -> None:
    """``up`` ends the instance that is open, and the next night comes all the same."""
    world.ask(nightly())
    to(world, "11-22T03:00")
    world.ask(SiteUp(site="shop"))
    assert world.phase() == "announced"
    world.restart()
    to(world, "11-22T04:00")
    assert world.phase() == "announced"
    to(world, "11-23T03:00")
    assert world.phase() == "down"


def test_lists_are_short(world: World) -> None:
    """A list has each series once, and besides only instances that are open or were changed."""
    world.ask(nightly())
    world.ask(nightly(id="weekly", every="weekly", from_="2026-11-22 12:00", site="blog"))
    world.ask(WindowExtend(id="nightly@2026-11-24T02:00", by="1h"))
    assert [one.id for one in world.ask(WindowList())] == [
        "nightly",
        "weekly",
        "nightly@2026-11-24T02:00",
    ]
    to(world, "11-22T03:00")
    assert [one.id for one in world.ask(WindowList(site="shop"))] == [
        "nightly",
        "nightly@2026-11-22T02:00",
        "nightly@2026-11-24T02:00",
    ]
