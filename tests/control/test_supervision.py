"""When the supervisor is told how the sites stand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.control.world import World
from tests.end_to_end.supervisor import Notices
from twisted.internet.task import Clock

from sorryd.messages import SiteDown, SiteUp
from sorryd.supervision import SOON, Supervision

LIVE = "2 sites: shop live, blog live"
DOWN = "2 sites: shop draining, blog live"


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[Notices]:
    with Notices(tmp_path) as one:
        yield one


def statuses(notices: Notices) -> list[str | None]:
    """Each that was told, None for what tells no status."""
    return [one.fields.get("STATUS") for one in notices.heard()]


def test_many_changes_are_one_status(world: World, notices: Notices) -> None:
    """The last of those within a moment is told, and nothing where there is none."""
    clock, environ = Clock(), {"NOTIFY_SOCKET": notices.address}
    supervision = Supervision(clock, environ, os.getpid())
    supervision.look()  # not up yet
    supervision.up(world.truth)
    for request in (SiteDown(site="shop"), SiteUp(site="shop"), SiteDown(site="shop")):
        world.ask(request)
        supervision.look()
    assert statuses(notices) == [LIVE]
    clock.advance(SOON)
    assert statuses(notices) == [LIVE, DOWN]
    supervision.look()
    clock.advance(SOON)
    assert statuses(notices) == [LIVE, DOWN]
    supervision.look()
    supervision.stopping(10.0)
    supervision.look()
    assert clock.getDelayedCalls() == []
    assert statuses(notices)[2:] == [None, "stopping; requests in flight may finish"]


def test_nobody_is_told_of_reloads_before_it_is_up(notices: Notices) -> None:
    """Nor when it stops: READY has been said once, or never."""
    supervision = Supervision(Clock(), {"NOTIFY_SOCKET": notices.address}, os.getpid())
    supervision.reload_begins()
    supervision.reload_ends(is_refused=True)
    assert notices.heard() == []


def test_without_a_supervisor_nothing_is_worked_out(world: World) -> None:
    """No timer runs."""
    clock = Clock()
    supervision = Supervision(clock, {}, os.getpid())
    supervision.up(world.truth)
    supervision.look()
    assert clock.getDelayedCalls() == []
