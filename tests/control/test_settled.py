"""What was changed is answered when it is in force in every worker."""

from __future__ import annotations

from typing import Any

import pytest
from tests.control.world import A, World, night
from twisted.internet.defer import Deferred

from sorryd.messages import (
    MemberSet,
    Request,
    SiteDown,
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
)
from sorryd.model import MemberState


def asked(world: World, request: Request) -> list[Any]:
    """A list that gets the answer when it comes."""
    answers: list[Any] = []
    world.ask_later(request).addCallback(answers.append)
    return answers


@pytest.mark.parametrize(
    "request_",
    [
        SiteDown(site="blog"),
        SiteUp(site="shop"),
        night(),
        MemberSet(url=A, state=MemberState.DRAIN),
        WindowCancel(id="later"),
        WindowExtend(id="later", by="1h"),
        WindowEnd(id="now"),
    ],
    ids=lambda request: request.method,
)
def test_answer_waits(world: World, request_: Request) -> None:
    """It is so here, and told, before it is answered; what only reads does not wait."""
    world.ask(night("later", from_="+2h"))
    world.ask(night("now", from_="now", site="shop"))
    world.ask(SiteDown(site="shop"))
    world.settling = Deferred()
    before = len(world.published)
    answers = asked(world, request_)
    assert not answers
    assert len(world.published) == before + 1
    world.ask(Status())
    settling, world.settling = world.settling, None
    settling.callback(None)
    assert answers


def test_changes_wait_for_each_other(world: World) -> None:
    """The next one is decided when the one before is in force."""
    settling = world.settling = Deferred[None]()
    down = asked(world, SiteDown(site="shop"))
    up = asked(world, SiteUp(site="shop"))
    assert world.phase() != "live"
    world.settling = None
    settling.callback(None)
    assert down
    assert up
    assert world.phase() == "live"
