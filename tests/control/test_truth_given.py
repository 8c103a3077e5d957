"""The truth about pages that others wrote: sorry files, and pages that were fetched."""

from __future__ import annotations

from msgspec.structs import replace
from tests.control.world import NOON, World
from twisted.logger import capturedLogs, formatEvent

from sorryd.control.truth import Clocks, Truth
from sorryd.messages import SiteDown
from sorryd.snapshot import GivenPage, SiteView, Snapshot

PAGE = GivenPage(body=b"<p>sorry", media_type="text/html", since=NOON)


def view(world: World, name: str = "shop") -> SiteView:
    """A site as it was published last."""
    return next(one for one in world.published[-1].sites if one.site.name == name)


def test_a_sorry_file_is_published(world: World) -> None:
    """While it is there; what is in it as it is now."""
    world.truth.find_file("shop", PAGE)
    assert view(world).file == PAGE
    assert (world.phase("shop"), world.phase("blog")) == ("draining", "live")
    later = replace(PAGE, body=b"<p>later")
    world.truth.find_file("shop", later)
    assert view(world).file == later
    world.truth.find_file("shop", None)
    assert view(world).file is None
    assert world.phase("shop") == "live"


def test_the_log_names_the_file(world: World) -> None:
    """Not the window that it stands before."""
    with capturedLogs() as logs:
        world.ask(SiteDown(site="shop"))
        world.truth.find_file("shop", PAGE)
        world.truth.find_file("shop", None)
    told = [formatEvent(event) or "" for event in logs]
    said = [line.partition(" -> ")[2] for line in told if " -> " in line]
    assert [line.partition("(")[2][:15] for line in said] == [
        "by hand, window", "the sorry file ", "by hand, window",
    ]  # fmt: skip


def test_what_is_known_is_not_published_again(world: World) -> None:
    """To find the same file, or none again, is no news."""
    world.truth.find_file("shop", None)
    world.truth.fetch_page("shop", None)
    world.truth.find_file("shop", PAGE)
    count = len(world.published)
    world.truth.find_file("shop", replace(PAGE))
    assert len(world.published) == count


def test_a_fetched_page_is_published(world: World) -> None:
    """Until it is of another URL; the site stays live."""
    world.truth.fetch_page("blog", PAGE)
    assert view(world, "blog").fetched == PAGE
    assert world.phase("blog") == "live"
    world.truth.fetch_page("blog", None)
    assert view(world, "blog").fetched is None


def test_a_site_that_goes_leaves_nothing(world: World) -> None:
    """When it comes back by another reload, it begins anew."""
    world.truth.find_file("blog", PAGE)
    world.truth.fetch_page("blog", PAGE)
    shop, blog = world.config.sites
    world.truth.configure(replace(world.config, sites=(shop,)))
    world.truth.configure(replace(world.config, sites=(shop, blog)))
    assert (view(world, "blog").file, view(world, "blog").fetched) == (None, None)
    assert world.phase("blog") == "live"


def test_the_first_snapshot_has_them(world: World) -> None:
    """What is there at the start is in force before anything is published."""
    published: list[Snapshot] = []
    clocks = Clocks(wall=lambda: NOON, monotonic=lambda: 1.0)
    truth = Truth(
        world.config,
        world.journal.load(),
        world.journal,
        clocks,
        published.append,
        lambda instant: None,
        {"shop": PAGE},
        {"blog": PAGE},
    )
    truth.look()
    shop, blog = published[0].sites
    assert (shop.file, shop.fetched, blog.file, blog.fetched) == (PAGE, None, None, PAGE)
    assert not truth.standing(world.config.sites[0]).phase.serves
    assert truth.standing(world.config.sites[1]).phase.serves
