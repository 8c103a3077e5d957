"""Members that are checked, or fail, in a control side in memory."""

from __future__ import annotations

from tests.control.world import A, B, World

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
