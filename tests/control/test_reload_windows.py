"""Reloads: what becomes of windows when their sites go and come."""

from __future__ import annotations

from msgspec.structs import replace
from tests.control.reloads import BLOG, SHOP, WIKI, reload, told, with_sites
from tests.control.world import CONFIG, HOUR, World, night, phases
from twisted.logger import capturedLogs, formatEvent

from sorryd.messages import SiteDown, Status, WindowEnd, WindowGet


def test_a_window_outlives_its_site(world: World) -> None:
    """A window of a site that goes is kept, and acts again when the site is back."""
    world.ask(night(from_="now"))
    world.ask(night("later", from_="+3h"))
    with capturedLogs() as events:
        gone = reload(world, with_sites(BLOG))
    warning = "shop: 2 windows are kept, and will act if the site comes back"
    assert gone == told(removed=("shop",), warnings=(warning,))
    assert [formatEvent(event) for event in events][1:] == [
        f"daemon.reload: {warning}",
        "window night is of the site shop, which the configuration does not have",
        "window later is of the site shop, which the configuration does not have",
    ]
    assert world.ask(WindowGet(id="night")).warnings != ()
    assert phases_now(world) == {"blog": "live"}
    with capturedLogs() as events:
        assert reload(world, CONFIG) == told(added=("shop",))
    assert phases_now(world) == {"shop": "draining", "blog": "live"}
    assert formatEvent(events[-1]).startswith("site shop: live -> draining (planned, window night")


def test_a_window_may_end_while_its_site_is_gone(world: World) -> None:
    """An end that comes meanwhile is final, as any other; one can be ended by hand, too."""
    world.ask(night("short", from_="now", for_="10m"))
    world.ask(night("long", from_="now", for_="2h"))
    reload(world, with_sites(BLOG))
    world.wait(HOUR)
    world.ask(WindowEnd(id="long"))
    reload(world, CONFIG)
    assert phases(world) == ["live", "live"]
    assert [entry.verb for entry in world.journal.commits].count("window.passed") == 1


def test_a_series_is_kept_as_one(world: World) -> None:
    """Of a series whose site goes it is told once, not of each instance; it goes on later."""
    world.ask(night("nightly", every="daily"))
    world.ask(night("other", from_="+3h"))
    with capturedLogs() as events:
        found = reload(world, with_sites(BLOG))
    assert found.warnings == ("shop: 2 windows are kept, and will act if the site comes back",)
    strays = [event["window"] for event in events if "does not have" in event["log_format"]]
    assert strays == ["nightly", "other"]
    world.wait(2 * 24 * HOUR)
    reload(world, CONFIG)
    world.wait(700)
    assert phases_now(world)["shop"] == "down"


def test_windows_survive_a_restart_without_their_site(world: World) -> None:
    """What was kept is kept on disk."""
    world.ask(night(from_="now"))
    reload(world, with_sites(BLOG))
    world.config = with_sites(BLOG)
    world.restart()
    reload(world, CONFIG)
    assert phases_now(world)["shop"] == "draining"


def test_a_window_for_all_covers_a_new_site(world: World) -> None:
    """At once, and for as long as it lasts."""
    world.ask(SiteDown())
    world.wait(60)
    reload(world, with_sites(*CONFIG.sites, WIKI))
    assert phases_now(world) == {"shop": "down", "blog": "down", "wiki": "down"}


def test_a_changed_drain_counts_at_once(world: World) -> None:
    """The standing of a site is worked out anew by what it says now."""
    world.ask(night(from_="now"))
    assert phases_now(world)["shop"] == "draining"
    reload(world, with_sites(replace(SHOP, drain=0.0), BLOG))
    assert phases_now(world)["shop"] == "down"


def phases_now(world: World) -> dict[str, str]:
    """The phases of the sites that there are."""
    return {one.name: one.phase.value for one in world.ask(Status()).sites}
