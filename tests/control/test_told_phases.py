"""The log tells each move of a site once, and what made it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.control.checks import passes
from tests.control.world import HOUR, World, night
from twisted.logger import capturedLogs, formatEvent

from sorryd.messages import SiteDown, SiteUp, WindowCancel
from sorryd.snapshot import GivenPage
from sorryd.window import GiveUp


@contextmanager
def told() -> Iterator[list[str]]:
    """The moves of the site shop that the log tells meanwhile."""
    lines: list[str] = []
    with capturedLogs() as events:
        yield lines
    moves = (formatEvent(event) for event in events)
    lines += [line.removeprefix("site shop: ") for line in moves if line.startswith("site shop: ")]


def page(world: World) -> GivenPage:
    return GivenPage(body=b"sorry", media_type="text/html", since=world.wall)


def test_a_whole_life(world: World) -> None:
    """From the announcement to the members found healthy."""
    with told() as lines:
        world.ask(night(until_healthy="5m"))
        for _ in range(80):
            world.wait(60)
            world.truth.look()
        passes(world)
    assert lines == [
        "live -> announced (window night)",
        "announced -> draining (planned, window night: 'disks')",
        "draining -> down (planned, window night: 'disks')",
        "down -> verifying (to be verified, planned, window night: 'disks')",
        "verifying -> down (gave up stay, planned, window night: 'disks')",
    ]
    with told() as lines:
        world.ask(SiteUp(site="shop"))
    assert lines == ["down -> live (ended)"]


@pytest.mark.parametrize("site", ["shop", None])
def test_verified(world: World, site: str | None) -> None:
    """Also where the window goes on for another site."""
    world.ask(night(from_="now", until_healthy="5m", site=site))
    world.wait(HOUR)
    with told() as lines:
        passes(world)
    assert lines == ["verifying -> live (verified)"]


def test_the_end_came(world: World) -> None:
    """By itself, with or without healthy members."""
    world.ask(night(from_="now"))
    with told() as lines:
        world.wait(HOUR)
    assert lines == ["draining -> live (end came)"]
    world.ask(night("later", from_="now", until_healthy="5m", give_up=GiveUp.OPEN))
    world.wait(HOUR)
    with told() as lines:
        world.wait(300)
    assert lines == ["verifying -> live (gave up open)"]


def test_taken_back(world: World) -> None:
    """What was announced, before it began."""
    world.ask(night())
    with told() as lines:
        world.ask(WindowCancel(id="night"))
    assert lines == ["announced -> live (cancelled)"]


def test_a_sorry_file(world: World) -> None:
    """It comes, and goes; what is by hand under it is told with it."""
    with told() as lines:
        world.truth.find_file("shop", page(world))
        world.ask(SiteDown(site="shop", reason="fire"))
        world.wait(60)
        world.truth.find_file("shop", None)
    assert lines == [
        "live -> draining (the sorry file is there)",
        "draining -> draining (the sorry file is there, window w1: 'fire')",
        "draining -> down (the sorry file is there, window w1: 'fire')",
        "down -> down (by hand, window w1: 'fire')",
    ]
    world.ask(SiteUp(site="shop"))
    world.truth.find_file("shop", page(world))
    with told() as lines:
        world.truth.find_file("shop", None)
    assert lines == ["draining -> live (sorry file gone)"]


def test_a_time_that_was_not_seen(world: World) -> None:
    """A site that is found verifying says that nobody saw how it came to that."""
    world.ask(night(until_healthy="5m"))
    with told() as lines:
        world.step(HOUR + 700)
        world.truth.look()
    assert lines == ["announced -> verifying (leapt, planned, window night: 'disks')"]
