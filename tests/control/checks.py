"""Members that are checked, or fail, in a control side in memory."""

from __future__ import annotations

from typing import Any

from tests.control.world import HOUR, A, B, World, night

from sorryd.messages import WindowSchedule
from sorryd.reports import CheckFailed, CheckPassed, MemberFailed


def passes(world: World, *urls: str, site: str = "shop", began: float | None = None) -> None:
    """The members pass a check that began just now, or at a moment."""
    at = world.monotonic if began is None else began
    for url in urls or (A, B):
        world.truth.report(CheckPassed(site=site, url=url, began=at))


def fails(world: World, *urls: str, site: str = "shop", times: int = 3) -> None:
    """The members fail as many checks."""
    for url in urls or (A, B):
        for _ in range(times):
            world.truth.report(CheckFailed(site=site, url=url, why="answered 500"))


def breaks(world: World, url: str = A, site: str = "shop") -> None:
    """A request fails at a member."""
    world.truth.report(MemberFailed(site=site, url=url, why="connection reset"))


def tonight(**fields: Any) -> WindowSchedule:
    return night(from_="now", for_="1h", until_healthy="10m", **fields)


def to_its_end(world: World, **fields: Any) -> None:
    world.ask(tonight(**fields))
    world.wait(HOUR)
