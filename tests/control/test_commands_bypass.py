"""The command of the control socket for secret links."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import HOUR, NOON, OWN_KEY, World, night

from sorryd.errors import ErrorCode
from sorryd.messages import HistoryList, SiteBypass, SiteDown, WindowEnd, WindowExtend
from sorryd.policy.bypass import asked, bypass_key, holder_of_file, holders, is_good
from sorryd.policy.windows import standing
from sorryd.snapshot import GivenPage, SiteView


def is_held(world: World, link: Any, site: str = "shop", key: bytes = OWN_KEY) -> bool:
    """Whether the link is good for what holds the site down now."""
    view = view_of(world, site)
    held = standing(view.windows, view.site, world.wall)
    by = holders(view, held.partial, world.wall)
    token = asked(link.path.encode())[0]
    assert token.decode() == link.header.value
    return is_good(token, bypass_key(None, key), site, by, world.wall)


def view_of(world: World, name: str) -> SiteView:
    (view,) = (one for one in world.published[-1].sites if one.site.name == name)
    return view


def test_down(world: World) -> None:
    """A link for the window that holds the site down is good at once, and dies with it."""
    world.ask(SiteDown(site="shop"))
    link = world.ask(SiteBypass(site="shop"))
    assert link.warnings == ()
    assert link.window in world.ids()
    assert is_held(world, link)
    assert not is_held(world, link, key=b"other")
    world.ask(WindowEnd(id=link.window))
    world.ask(SiteDown(site="shop"))
    assert not is_held(world, link)


def test_next(world: World) -> None:
    """Of a site that is up, it is for the next window, and outlives its extension."""
    world.ask(night("late", from_="+3h"))
    world.ask(night())
    link = world.ask(SiteBypass(site="shop"))
    assert link.window == "night"
    assert link.warnings != ()
    assert not is_held(world, link)
    world.wait(900)
    assert is_held(world, link)
    world.ask(WindowExtend(id="night", by="1h"))
    world.wait(HOUR)
    assert is_held(world, link)
    world.wait(HOUR)
    assert not is_held(world, link)


def test_named(world: World) -> None:
    """Any window to come may be named; of one for every site each has its own link."""
    world.ask(night())
    world.ask(night("late", from_="+3h", site=None))
    links = [world.ask(SiteBypass(site=name, window="late")) for name in ("shop", "blog")]
    assert [link.window for link in links] == ["late", "late"]
    world.wait(4 * HOUR - 1)
    assert is_held(world, links[0])
    assert is_held(world, links[1], "blog")
    assert not is_held(world, links[1])


def test_file(world: World) -> None:
    """Under a sorry file the link is for that, until it goes."""
    page = GivenPage(body=b"", media_type="text/html", since=NOON)
    world.truth.find_file("shop", page)
    world.ask(SiteDown(site="shop"))
    link = world.ask(SiteBypass(site="shop"))
    assert link.window is None
    assert is_held(world, link)
    world.truth.find_file("shop", None)
    assert not is_held(world, link)
    assert holder_of_file(page) != holder_of_file(replace(page, since=NOON + 1))


def test_only_site(world: World) -> None:
    """The site may be left out where there is one."""
    world.ask(SiteDown())
    assert world.refused(SiteBypass()).field == "site"
    (shop, _) = world.config.sites
    world.truth.configure(replace(world.config, sites=(shop,)))
    assert world.ask(SiteBypass()).site == "shop"


def test_history(world: World) -> None:
    """Who made a link is written down, and the token is not."""
    world.ask(SiteDown(site="shop"))
    link = world.ask(SiteBypass(site="shop"))
    last = world.ask(HistoryList(site="shop")).entries[-1]
    assert (last.action, last.window, last.author.name) == ("site.bypass", link.window, "alice")
    assert link.header.value not in repr(last)


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        (SiteBypass(site="shop"), ErrorCode.CONFLICT, None),
        (SiteBypass(site="none"), ErrorCode.NOT_FOUND, "site"),
        (SiteBypass(site="shop", window="none"), ErrorCode.NOT_FOUND, "window"),
        (SiteBypass(site="shop", window="other"), ErrorCode.CONFLICT, "window"),
        (SiteBypass(site="shop", window="over"), ErrorCode.CONFLICT, "window"),
    ],
)
def test_refused(world: World, request_: SiteBypass, code: ErrorCode, field: str | None) -> None:
    """What will hold the site down at no time has no link, and nothing is written down."""
    world.ask(night("other", site="blog"))
    world.ask(night("over", from_="now"))
    world.ask(WindowEnd(id="over"))
    written = len(world.journal.commits)
    error = world.refused(request_)
    assert (error.code, error.field) == (code, field)
    assert len(world.journal.commits) == written


def test_journal_refuses(world: World) -> None:
    """No link leaves before it is on disk that it was made."""
    world.ask(SiteDown(site="shop"))
    world.journal.broken = True
    assert world.refused(SiteBypass(site="shop")).code is ErrorCode.INTERNAL_ERROR
