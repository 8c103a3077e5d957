"""Outages that nobody planned, as the history and hooks have them: each is told once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.control.reloads import BLOG, reload, with_sites
from tests.control.world import CONFIG, A, B, World, member, night, site

from sorryd.control.hook_messages import hook_message
from sorryd.journal import HistoryEntry as Row
from sorryd.messages import HistoryList, MemberSet, SiteDown, SiteUp
from sorryd.model import Cause, MemberState, Phase
from sorryd.policy.delivery import TOLD
from sorryd.policy.outages import QUIET
from sorryd.replies_history import HistoryEntry, HookMessage, OutageRecord, PhaseRecord
from sorryd.reports import MemberAnswered, MemberFailed

MEMBERS = (A, B)
SHOP = site("shop", member(A), member(B))


def lines(world: World, *also: str) -> list[HistoryEntry]:
    """The lines on outages of the shop, and of other kinds."""
    kinds = ("site.members_lost", "site.members_back", *also)
    found: tuple[HistoryEntry, ...] = world.ask(HistoryList(site="shop")).entries
    return [one for one in found if one.action in kinds]


def words(world: World) -> list[str]:
    return [one.detail for one in lines(world)]


def fail(world: World, *urls: str) -> None:
    """Requests fail at these members, or at all."""
    for url in urls or MEMBERS:
        world.truth.report(MemberFailed(site="shop", url=url, why="refused"))


def answer(world: World, url: str = A) -> None:
    """A member is asked again, and answers."""
    world.wait(5)
    world.truth.report(MemberAnswered(site="shop", url=url))


LOST = f"no member is up: {A} (refused), {B} (refused)"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """One whose shop has two members."""
    world = World(str(tmp_path / "sorryd.db"), with_sites(SHOP, BLOG))
    yield world
    world.journal.close()


def test_an_outage(world: World) -> None:
    """It begins with the last member that fails, and is over when one has been up for a while."""
    fail(world, A)
    assert lines(world) == []
    fail(world, B)
    assert words(world) == [LOST]
    answer(world)
    world.wait(QUIET - 1)
    assert words(world) == [LOST]
    assert min(world.wakes[-1:]) <= world.wall + 1
    world.wait(1)
    assert words(world)[1:] == ["a member is up again, after 5s without any"]
    lost, back = lines(world)
    assert (lost.action, lost.author) == ("site.members_lost", None)
    assert lost.after == (
        OutageRecord(since="2026-11-21T13:00:00+01:00", back=None, why=LOST[17:]),
    )
    assert back.after == (
        OutageRecord(since="2026-11-21T13:00:00+01:00", back="2026-11-21T13:00:05+01:00", why=""),
    )
    world.wait(3600)
    assert len(lines(world)) == 2


def test_a_member_that_comes_and_goes(world: World) -> None:
    """One that answers each other request makes one outage, not a hundred."""
    fail(world)
    for _ in range(100):
        answer(world)
        world.wait(QUIET - 1)
        fail(world)
    assert words(world) == [LOST]
    answer(world)
    world.wait(QUIET)
    assert len(words(world)) == 2
    fail(world)
    assert len(words(world)) == 3


def test_restarts(world: World) -> None:
    """A restart in an outage tells it no second time, and not its end at once."""
    fail(world)
    world.restart()
    world.wait(1)
    fail(world)
    world.restart()
    assert words(world) == [LOST]
    world.wait(QUIET)
    assert len(words(world)) == 2
    world.restart()
    fail(world)
    assert len(words(world)) == 3


def test_under_a_window(world: World) -> None:
    """Members may go while a window holds the site down; who finds none at its end is told then."""
    world.ask(night("now", from_="now"))
    world.wait(60)
    fail(world)
    for _ in range(3):
        world.wait(3600)
    details = [one.detail for one in lines(world, "site.phase")]
    assert details[-2:] == ["down -> live", LOST]
    world.ask(SiteDown(site="shop", drain="0s"))
    answer(world)
    world.wait(QUIET)
    assert len(words(world)) == 2
    world.ask(SiteUp(site="shop"))
    assert len(words(world)) == 2


def test_members_taken_out(world: World) -> None:
    """A site whose members are all taken out by hand has lost them, too."""
    for url in MEMBERS:
        world.ask(MemberSet(site="shop", url=url, state=MemberState.MAINT))
    assert words(world) == [f"no member is up: {A} (maint), {B} (maint)"]


def test_what_a_hook_is_told(world: World) -> None:
    """A hook hears of it like of a phase: nobody planned it."""
    fail(world)
    answer(world)
    world.wait(QUIET)
    rows: list[Row] = []
    world.stream.following(0, "shop", 100, TOLD).addCallback(rows.extend)
    lost, back = (hook_message(row, SHOP, CONFIG) for row in rows)
    assert isinstance(lost, HookMessage)
    assert (lost.event, lost.phase, lost.cause, lost.planned, lost.detail) == (
        "site.members_lost",
        Phase.LIVE,
        Cause.MEMBERS,
        False,
        LOST,
    )
    assert (lost.from_, lost.until) == ("2026-11-21T13:00:00+01:00", None)
    assert (back.event, back.cause, back.from_, back.until) == (
        "site.members_back",
        None,
        "2026-11-21T13:00:00+01:00",
        "2026-11-21T13:00:05+01:00",
    )


def test_a_site_that_was_away(world: World) -> None:
    """What became of a site while the configuration did not have it was not seen."""
    world.ask(SiteDown(site="shop", drain="0s", for_="1m"))
    reload(world, with_sites(BLOG))
    world.wait(3600)
    reload(world, with_sites(SHOP, BLOG))
    (after,) = lines(world, "site.phase")[-1].after
    assert isinstance(after, PhaseRecord)
    assert (after.phase, after.event) == (Phase.LIVE, "leapt")
