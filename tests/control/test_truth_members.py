"""The truth: what it publishes and tells when members fail and are set."""

from __future__ import annotations

import pytest
from tests.control.world import HOUR, NOON, SHARED, A, B, World, result
from twisted.logger import capturedLogs, formatEvent

from sorryd.journal import HistoryEntry, MemberPut
from sorryd.model import Health, MemberState
from sorryd.reports import MemberAnswered, MemberFailed


def healths(world: World, site: int = 0) -> list[str]:
    return [view.health.value for view in world.published[-1].sites[site].members]


def test_a_member_fails_rests_and_is_back(world: World) -> None:
    """A failure rests a member of that site alone; then it is on trial, then back."""
    with capturedLogs() as events:
        world.truth.report(MemberFailed(site="shop", url=SHARED, why="connection refused"))
        assert healths(world) == ["up", "up", "resting"]
        assert healths(world, 1) == ["up"]
        assert world.wakes[-1] == NOON + 5
        world.wait(4.9)
        assert healths(world) == ["up", "up", "resting"]
        world.wait(0.2)
        assert healths(world) == ["up", "up", "trial"]
        world.truth.report(MemberAnswered(site="shop", url=SHARED))
        assert healths(world) == ["up", "up", "up"]
    assert [formatEvent(event) for event in events] == [
        f"site shop: member {SHARED} failed (connection refused); it rests for 5s",
        f"site shop: member {SHARED} is back",
    ]


def test_many_failures_are_told_once(world: World) -> None:
    """Sixty requests that fail at one dead member are one line and one snapshot."""
    with capturedLogs() as events:
        for _ in range(60):
            world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    assert len(events) == 1
    assert len(world.published) == 2


def test_rest_is_by_the_monotonic_clock(world: World) -> None:
    """The wall clock neither shortens nor prolongs a rest."""
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    world.step(HOUR)
    world.truth.look()
    assert healths(world)[0] == "resting"
    world.step(-2 * HOUR)
    world.wait(5)
    assert healths(world)[0] == "trial"


def test_no_member_is_left(world: World) -> None:
    """The log tells when the last member of a site is gone, and when one is back."""
    with capturedLogs() as events:
        world.truth.report(MemberFailed(site="blog", url=SHARED, why="reset"))
        world.wait(5)
        world.truth.report(MemberAnswered(site="blog", url=SHARED))
    assert [formatEvent(event) for event in events][1::2] == [
        "site blog: no member is up",
        "site blog: a member is up again",
    ]


@pytest.mark.parametrize("site", ["shop", "no such site"])
def test_reports_of_strangers(world: World, site: str) -> None:
    """A report on a member that is not configured changes nothing."""
    world.truth.report(MemberFailed(site=site, url="http://stranger:1", why="reset"))
    world.truth.report(MemberAnswered(site=site, url="http://stranger:1"))
    assert len(world.published) == 1


def test_settings_outlive_a_restart(world: World) -> None:
    """What operators want of members is published, and known after a restart."""
    setting = MemberPut(site="shop", url=B, state=MemberState.DRAIN, weight=0)
    stranger = MemberPut(site="gone", url="http://stranger:1", weight=9)
    result(world.journal.commit((setting, stranger), HistoryEntry(at=NOON, verb="member.set")))
    world.truth.apply((setting, stranger))
    for _ in range(2):
        view = world.published[-1].sites[0].members[1]
        assert (view.state, view.weight) == (MemberState.DRAIN, 0)
        assert view.health is Health.UP
        world.restart()


def test_serials_grow_by_one(world: World) -> None:
    """Each snapshot has the next number, and none is published for nothing."""
    for seconds in (1, 5, 5):
        world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
        world.wait(seconds)
    assert [snapshot.serial for snapshot in world.published] == list(
        range(1, len(world.published) + 1)
    )
    assert all(
        one != other for one, other in zip(world.published, world.published[1:], strict=False)
    )
