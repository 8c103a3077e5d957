"""The commands of the control socket that take sites down and up by hand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.control.world import World, night, phases

from sorryd.messages import SiteDown, SiteUp, Status, WindowGet, WindowList
from sorryd.model import Cause, Phase
from sorryd.replies import WindowPhase


def test_down_and_up(world: World) -> None:
    """A site goes down by hand, drains, and comes up again; the answers are its status."""
    (shop,) = world.ask(SiteDown(site="shop", reason="fire", drain="10s"))
    assert (shop.phase, shop.cause, shop.reason) == (Phase.DRAINING, Cause.MANUAL, "fire")
    assert (shop.until, shop.window.id) == (None, "w1")
    assert phases(world) == ["draining", "live"]
    world.wait(10)
    assert phases(world) == ["down", "live"]
    (shop,) = world.ask(SiteUp(site="shop"))
    assert (shop.phase, shop.cause, shop.window) == (Phase.LIVE, None, None)
    assert world.ask(WindowGet(id="w1")).phase is WindowPhase.ENDED


@pytest.mark.parametrize(
    ("fields", "until", "text"),
    [
        pytest.param({}, None, None, id="open-ended"),
        pytest.param({"for_": "90m"}, "2026-11-21T14:30:00+01:00", None, id="for"),
        pytest.param({"for_": 5400.0}, "2026-11-21T14:30:00+01:00", None, id="for, in seconds"),
        pytest.param({"until": "15:00"}, "2026-11-21T15:00:00+01:00", None, id="the site's zone"),
        pytest.param({"until_text": "15:00"}, "2026-11-21T15:00:00+01:00", None, id="UNTIL"),
        pytest.param({"until_text": "noon-ish"}, None, "noon-ish", id="UNTIL, no time"),
        pytest.param({"until_text": "  "}, None, None, id="UNTIL, empty"),
        pytest.param(
            {"until": "15:00", "until_text": "noon-ish"},
            "2026-11-21T15:00:00+01:00",
            None,
            id="until before UNTIL",
        ),
    ],
)
def test_down_until(
    world: World, fields: dict[str, Any], until: str | None, text: str | None
) -> None:
    """A down ends by itself where its end is known, else it tells visitors what was said."""
    (shop,) = world.ask(SiteDown(site="shop", **fields))
    assert (shop.until, shop.until_text) == (until, text)
    world.wait(4 * 3600)
    assert world.phase() == ("down" if until is None else "live")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"until": "2027-03-28 02:30"}, id="until"),
        pytest.param({"until_text": "2027-03-28 02:30"}, id="UNTIL"),
    ],
)
def test_down_warns(world: World, fields: dict[str, Any]) -> None:
    """What an operator may not have meant by the end of a down is said with its window."""
    note = "the clock in Europe/Berlin skips 2027-03-28 02:30: 2027-03-28 03:30+02:00 is taken"
    (shop,) = world.ask(SiteDown(site="shop", **fields))
    assert shop.window.warnings == (note,)
    assert world.ask(Status(site="shop")).sites[0].window.warnings == ()
    (shop,) = world.ask(SiteDown(site="shop", until="12:00"))
    assert shop.window.warnings == ("it lasts 23h: 12:00 is taken as the next one",)


def test_down_again_updates(world: World) -> None:
    """A second down of the same scope changes the first: its end, and a reason if one is said."""
    world.ask(SiteDown(site="shop", reason="fire", for_="1h"))
    world.ask(SiteDown(site="shop", for_="2h"))
    (window,) = world.ask(WindowList())
    assert (window.reason, window.until) == ("fire", "2026-11-21T15:00:00+01:00")
    (shop,) = world.ask(SiteDown(site="shop", reason="water"))
    assert (shop.reason, shop.until) == ("water", None)
    assert len(world.ask(WindowList())) == 1
    written = len(world.journal.commits)
    world.ask(SiteDown(site="shop", reason="water"))
    assert len(world.journal.commits) == written


def test_up_of_one_site_of_all(world: World) -> None:
    """Up of a site takes it out of a down of all; the last site to leave ends it."""
    world.ask(SiteDown())
    assert phases(world) == ["draining", "draining"]
    world.ask(SiteUp(site="shop"))
    assert phases(world) == ["live", "draining"]
    world.restart()
    assert phases(world) == ["live", "draining"]
    world.ask(SiteUp(site="blog"))
    assert phases(world) == ["live", "live"]
    assert world.ids() == set()


def test_down_of_all_after_one_came_up(world: World) -> None:
    """A new down of all takes also those down that were taken out of the one before."""
    world.ask(SiteDown(reason="fire"))
    world.ask(SiteUp(site="shop"))
    sites = world.ask(SiteDown(for_="1h"))
    assert [site.phase for site in sites] == [Phase.DRAINING, Phase.DRAINING]
    assert {site.until for site in sites} == {"2026-11-21T14:00:00+01:00"}
    world.ask(SiteUp())
    assert phases(world) == ["live", "live"]
    assert world.ids() == set()


def test_up_ends_open_windows_only(world: World) -> None:
    """Up ends what holds the site down, planned or by hand, and leaves what is to come."""
    world.ask(night("open", from_="now"))
    world.ask(night("later", from_="+2h"))
    world.ask(SiteDown(site="shop"))
    world.ask(SiteUp(site="shop"))
    assert world.ids() == {"later"}
    assert world.phase() == "announced"


def test_up_of_a_live_site(world: World) -> None:
    """Up of a site that is live is no fault, and nothing to write down."""
    assert [site.phase for site in world.ask(SiteUp())] == [Phase.LIVE, Phase.LIVE]
    assert world.journal.commits == []
