"""The truth: what it publishes of members that start slowly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.control.world import CONFIG, NOON, A, B, World, member, result, site

from sorryd.journal import HistoryEntry, MemberPut
from sorryd.model import Check, MemberState
from sorryd.reports import CheckFailed, CheckPassed, MemberAnswered, MemberFailed

CHECK = Check(rise=1, fall=1)
STEPS = [step / 20 for step in range(1, 21)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    shop = site("shop", member(A), member(B), slow_start=20.0)
    world = World(str(tmp_path / "sorryd.db"), msgspec.structs.replace(CONFIG, sites=(shop,)))
    yield world
    world.journal.close()


def reconfigure(world: World, **fields: object) -> None:
    shop = msgspec.structs.replace(world.truth.config.sites[0], **fields)
    world.truth.configure(msgspec.structs.replace(CONFIG, sites=(shop,)))


def ramp(world: World, at: int = 0) -> float:
    return world.published[-1].sites[0].members[at].ramp


def comes_back(world: World) -> None:
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    world.wait(5)
    assert ramp(world) == 1.0
    world.truth.report(MemberAnswered(site="shop", url=A))


def puts(world: World, state: MemberState) -> None:
    setting = MemberPut(site="shop", url=A, state=state)
    result(world.journal.commit((setting,), HistoryEntry(at=NOON, verb="member.set")))
    world.truth.apply((setting,))


def test_never_at_the_start(world: World) -> None:
    """A daemon that starts gives all members all of their weight."""
    assert (ramp(world), ramp(world, 1)) == (1.0, 1.0)


def test_a_member_that_was_tried(world: World) -> None:
    """Its share grows by 5 % at a time, with one snapshot for each step, and no more."""
    comes_back(world)
    before = len(world.published)
    shares = [ramp(world)]
    while world.wakes[-1] < NOON + 3600:
        world.wait(world.wakes[-1] - world.wall)
        shares.append(ramp(world))
        assert ramp(world, 1) == 1.0
    assert shares == STEPS
    assert world.wall == NOON + 5 + 20
    assert len(world.published) == before + 19


def test_one_look_may_miss_steps(world: World) -> None:
    """A process that stood still gives a member what it should have by now."""
    comes_back(world)
    world.wait(10)
    assert ramp(world) == 0.5
    world.wait(3600)
    assert ramp(world) == 1.0


def test_a_member_that_passes_its_checks_again(world: World) -> None:
    """Down and back by its checks."""
    reconfigure(world, check=CHECK)
    world.truth.report(CheckFailed(site="shop", url=A, why="answered 500"))
    assert ramp(world) == 1.0
    world.truth.report(CheckPassed(site="shop", url=A, began=world.monotonic))
    assert ramp(world) == STEPS[0]


def test_a_rest_that_ends(world: World) -> None:
    """Its checks passed while it rested."""
    reconfigure(world, check=CHECK)
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    world.truth.report(CheckPassed(site="shop", url=A, began=world.monotonic))
    world.wait(5)
    assert ramp(world) == STEPS[0]


def test_failing_again(world: World) -> None:
    """Who fails on the way begins anew."""
    comes_back(world)
    world.wait(10)
    comes_back(world)
    assert ramp(world) == STEPS[0]


@pytest.mark.parametrize(
    ("away", "share"), [(MemberState.MAINT, STEPS[0]), (MemberState.DRAIN, 1.0)]
)
def test_the_operator(world: World, away: MemberState, share: float) -> None:
    """Out of maintenance slowly, out of drain at once, as in HAProxy."""
    puts(world, away)
    assert ramp(world) == 1.0
    puts(world, MemberState.READY)
    assert ramp(world) == share


def test_still_in_maintenance(world: World) -> None:
    """Who is put there twice does not come out of it between."""
    puts(world, MemberState.MAINT)
    puts(world, MemberState.MAINT)
    assert ramp(world) == 1.0


def test_still_down_after_maintenance(world: World) -> None:
    """What is not up does not start."""
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    puts(world, MemberState.MAINT)
    puts(world, MemberState.READY)
    assert ramp(world) == 1.0


@pytest.mark.parametrize(("seconds", "share"), [(0.0, 1.0), (40.0, 0.5)], ids=["none", "another"])
def test_another_configuration(world: World, seconds: float, share: float) -> None:
    """Who is on the way stays on it, unless there is none any more."""
    comes_back(world)
    world.wait(10)
    reconfigure(world, slow_start=seconds)
    assert ramp(world) == share


def test_a_member_that_goes_is_forgotten(world: World) -> None:
    """Nothing is left of its way, nor of the wait for its next step."""
    comes_back(world)
    reconfigure(world, members=(member(B),))
    assert world.wakes[-1] > NOON + 3600
    reconfigure(world, members=(member(A), member(B)))
    assert ramp(world) == 1.0
