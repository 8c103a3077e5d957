"""When pages are fetched, what is kept, and what is told: on a clock that is turned."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.given.asking import OTHER, URL, World, copy, fetching
from tests.given.yard import site

from sorryd.given.copies import NotGood, copy_path, read_copy
from sorryd.given.fetching import EVERY, LATEST, SOONEST, first_copies, pause
from sorryd.model import Site


def test_it_is_fetched_ahead_and_again(world: World) -> None:
    """At the start, and then every minute with what came last, so that no more need be sent."""
    world.use(fetching())
    assert world.body() is None
    assert world.asked[0][:2] == (URL, None)
    world.good()
    assert world.body() == b"<p>sorry"
    assert world.next() == EVERY
    assert world.ask().before == copy()
    assert world.lines == [
        f"site shop: the page at {URL} was fetched: 8 bytes of text/html",
    ]


def test_a_changed_page_is_taken(world: World) -> None:
    """And kept in place of the one before."""
    world.use(fetching())
    world.good()
    world.next()
    world.good(copy(b"<p>later", etag='"2"'))
    assert world.body() == b"<p>later"
    assert read_copy(world.folder, "shop", URL) == copy(b"<p>later", etag='"2"')


def test_what_has_not_changed_is_not_written_again(world: World) -> None:
    """The disk has it."""
    world.use(fetching())
    world.good()
    path = Path(copy_path(world.folder, "shop"))
    path.unlink()
    world.next()
    world.good()
    assert not path.exists()


def test_the_last_good_one_is_kept(world: World) -> None:
    """A server that is away for an hour is asked more and more seldom; the log has two lines."""
    world.use(fetching())
    world.good()
    world.lines.clear()
    world.next()
    waits = []
    for _ in range(9):
        world.bad()
        assert world.body() == b"<p>sorry"
        waits.append(world.next())
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    world.good()
    assert world.next() == EVERY
    assert world.lines == [
        f"site shop: no page from {URL}: connection refused; the last one is kept",
        f"site shop: the page at {URL} was fetched: 8 bytes of text/html",
    ]


def test_there_never_was_one(world: World) -> None:
    """The site's own page is shown, and the log says so."""
    world.use(fetching())
    world.bad()
    assert world.body() is None
    assert world.lines == [
        f"site shop: no page from {URL}: connection refused; the site's own is shown"
    ]


def test_a_restart_has_it(world: World) -> None:
    """Before anything was asked, and while the server is away."""
    world.use(fetching())
    world.good()
    world.fetcher.stop()
    world.begin()
    world.use(fetching())
    assert world.body() == b"<p>sorry"
    assert world.asked[0].before == copy()
    world.bad()
    assert world.body() == b"<p>sorry"
    assert world.lines[-1].endswith("; the last one is kept")


def test_another_url_begins_anew(world: World) -> None:
    """By a reload: what came from elsewhere is not shown any more, after a restart neither."""
    world.use(fetching())
    world.good()
    world.use(fetching(url=OTHER))
    assert world.body() is None
    assert world.asked[0][:2] == (OTHER, None)
    world.good(copy(b"<p>other", url=OTHER))
    assert world.body() == b"<p>other"
    assert first_copies([fetching()], world.folder) == {}


def test_a_reload_that_changes_nothing(world: World) -> None:
    """Nobody is asked for it, and no request is lost."""
    world.use(fetching())
    world.use(fetching(), site("blog"))
    world.good()
    world.use(fetching())
    assert world.asked == []
    assert world.body() == b"<p>sorry"
    assert world.cancelled == []


@pytest.mark.parametrize("is_asking", [True, False])
@pytest.mark.parametrize(
    "sites", [[], [site()], [fetching(url=OTHER)]], ids=["gone", "here", "other"]
)
def test_who_is_let_go_is_not_asked(world: World, sites: list[Site], is_asking: bool) -> None:
    """A site that goes, has its own page, or another URL: the request is cut, none follows."""
    world.use(fetching())
    if not is_asking:
        world.good()
    world.use(*sites)
    assert world.cancelled == [URL] * is_asking
    urls = [one.url for one in world.asked if not one.answer.called]
    assert urls == [one.sorry_url for one in sites if one.sorry_url]
    assert len(world.reactor.getDelayedCalls()) == 0
    assert world.lines[1:] == []


def test_the_page_goes_with_the_mode(world: World) -> None:
    """A site that fetches no more has nothing that was fetched."""
    world.use(fetching())
    world.good()
    world.use(site())
    assert world.body() is None


def test_sites_do_not_mind_each_other(world: World) -> None:
    """One server's silence is not the other's."""
    world.use(fetching(), fetching("blog", OTHER))
    shop, blog = world.asked
    blog.answer.callback(copy(b"<p>blog", url=OTHER))
    assert world.fetched == {"shop": None, "blog": copy(b"<p>blog").page}
    shop.answer.errback(NotGood("it took longer than 10 s"))
    assert world.fetched["blog"] is not None


def test_a_disk_that_takes_nothing(world: World) -> None:
    """The page is shown, the log tells once, and it is tried again each time."""
    (Path(world.folder) / "fetched").touch()
    world.use(fetching())
    world.good()
    assert world.body() == b"<p>sorry"
    for _ in range(2):
        world.next()
        world.good()
    told = [line for line in world.lines if "a restart would not have the page" in line]
    assert len(told) == 1
    (Path(world.folder) / "fetched").unlink()
    world.next()
    world.good()
    assert first_copies([fetching()], world.folder) == {"shop": copy()}


def test_a_spoilt_copy_is_told(world: World) -> None:
    """And is as none."""
    path = Path(copy_path(world.folder, "shop"))
    path.parent.mkdir()
    path.write_bytes(b"spoilt")
    world.use(fetching())
    assert world.body() is None
    assert world.lines == [
        f"site shop: {path}: is not what sorryd has written; it is not used",
    ]


def test_a_bug_does_not_end_it(world: World) -> None:
    """It is logged, and the next request comes."""
    world.use(fetching())
    world.ask().answer.errback(ZeroDivisionError())
    assert world.lines == ["a bug in what fetches a page; it goes on"]
    assert world.next() == SOONEST
    world.good()
    assert world.body() == b"<p>sorry"


@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_not_all_at_once(world: World, chance: float, factor: float) -> None:
    """Waits differ by a tenth, so that daemons started together do not stay so."""
    world.fetcher.chance = lambda: chance
    world.use(fetching())
    world.good()
    assert world.next() == pytest.approx(EVERY * factor)
    world.good(replace(copy(), etag='"2"'))


def test_pauses_have_a_limit() -> None:
    """After ten thousand failures too."""
    assert pause(10_000) == LATEST
