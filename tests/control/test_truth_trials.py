"""The truth: which of several workers may try a member that has rested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.control.world import CONFIG, NOON, SHARED, A, World, result

from sorryd.journal import HistoryEntry, MemberPut
from sorryd.model import Health, MemberState
from sorryd.policy.trials import PATIENCE
from sorryd.reports import MemberAnswered, MemberFailed, MemberTried


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world with three workers."""
    world = World(str(tmp_path / "sorryd.db"), msgspec.structs.replace(CONFIG, workers=3))
    yield world
    world.journal.close()


def trier(world: World) -> int | None:
    """The worker that may try the member A; None while it is not on trial."""
    view = world.published[-1].sites[0].members[0]
    return view.trial if view.health is Health.TRIAL else None


def rests(world: World, url: str = A) -> None:
    world.truth.report(MemberFailed(site="shop", url=url, why="reset"))
    world.wait(5)


def tries(world: World, worker: int, begins: bool = True) -> None:
    world.truth.report(MemberTried(site="shop", url=A, worker=worker, begins=begins))


def test_the_leave_goes_round(world: World) -> None:
    """The leave is published, wakes the daemon when its time is over, and passes on then."""
    rests(world)
    assert trier(world) == 1
    assert world.wakes[-1] == pytest.approx(NOON + 5 + PATIENCE)
    world.wait(PATIENCE)
    assert trier(world) == 2
    world.wait(PATIENCE)
    assert trier(world) == 3


def test_a_trial_in_flight(world: World) -> None:
    """While one worker tries, nobody else may; without a verdict the leave passes on after it."""
    rests(world)
    tries(world, 1)
    before = len(world.published)
    world.wait(60)
    assert trier(world) == 1
    tries(world, 1, begins=False)
    assert len(world.published) == before
    assert world.wakes[-1] == pytest.approx(NOON + 65 + PATIENCE)
    world.wait(PATIENCE)
    assert trier(world) == 2


def test_a_verdict(world: World) -> None:
    """A member that answers is up, one that fails rests; the next leave begins anew."""
    rests(world)
    world.wait(PATIENCE)
    tries(world, 2)
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    assert trier(world) is None
    world.wait(5)
    assert trier(world) == 1
    tries(world, 1)
    world.truth.report(MemberAnswered(site="shop", url=A))
    assert world.published[-1].sites[0].members[0].health is Health.UP


def test_the_trier_dies(world: World) -> None:
    """The leave of a worker that died is given to another one at once."""
    rests(world)
    tries(world, 1)
    world.truth.worker_lost(1)
    assert trier(world) == 2
    world.truth.worker_lost(3)
    assert trier(world) == 2


def test_begun_as_the_leave_passed_on(world: World) -> None:
    """A trial that began in the last moment has the leave again, and others learn it."""
    rests(world)
    world.wait(PATIENCE)
    assert trier(world) == 2
    tries(world, 1)
    assert trier(world) == 1


def test_members_in_maintenance(world: World) -> None:
    """A member that gets no request at all makes nobody wake up."""
    rests(world)
    put = MemberPut(site="shop", url=A, state=MemberState.MAINT)
    result(world.journal.commit((put,), HistoryEntry(at=NOON, verb="member.set")))
    world.truth.apply((put,))
    before = len(world.published)
    for _ in range(20):
        world.wait(PATIENCE)
    assert len(world.published) == before


def test_each_member_has_its_own(world: World) -> None:
    """One member is tried by one worker while another one's leave goes round."""
    rests(world)
    tries(world, 1)
    rests(world, SHARED)
    world.wait(PATIENCE)
    members = world.published[-1].sites[0].members
    assert [members[0].trial, members[2].trial] == [1, 2]


@pytest.mark.parametrize("workers", [0, 1])
def test_who_is_alone(world: World, workers: int) -> None:
    """With one worker, from a reload on, there is nothing to grant, and nothing published."""
    rests(world)
    world.truth.configure(msgspec.structs.replace(CONFIG, workers=workers))
    before = len(world.published)
    assert trier(world) == 0
    for _ in range(20):
        world.wait(PATIENCE)
    assert len(world.published) == before


def test_reports_of_strangers(world: World) -> None:
    """The trial of a member that is up, or is not configured, changes nothing."""
    tries(world, 2)
    world.truth.report(MemberTried(site="none", url=A, worker=2, begins=True))
    assert len(world.published) == 1
