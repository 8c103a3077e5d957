"""The preview of the sorry page: the one that visitors will get, shown before they do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG, HOUR, NOON, SHARED, A, B, World, member, night, site

from sorryd.errors import ErrorCode
from sorryd.journal import WindowPut
from sorryd.messages import PagePreview, SiteDown, WindowCancel, WindowEnd, WindowSchedule
from sorryd.model import Cause, PageKind, PageSource, Phase
from sorryd.policy.apologies import Forms
from sorryd.policy.facts import facts_of
from sorryd.policy.windows import standing
from sorryd.replies import PreviewResult
from sorryd.reports import MemberFailed
from sorryd.snapshot import GivenPage
from sorryd.window import Scope

EN = PageSource(source="{{ reason }}|{{ phase }}|{{ until_iso }}|{{ from_iso }}")
JA = PageSource(source="日本語 {{ until }}", language="ja")


@pytest.fixture
def world(tmp_path: Path) -> Any:
    """Two sites, one of which has pages that tell what they know."""
    shop, blog = CONFIG.sites
    sites = (replace(shop, sorry_pages=(EN, JA)), blog)
    world = World(str(tmp_path / "sorryd.db"), replace(CONFIG, sites=sites))
    yield world
    world.journal.close()


def shown(world: World, **asked: Any) -> PreviewResult:
    found = world.ask(PagePreview(site="shop", **asked))
    assert isinstance(found, PreviewResult)
    return found


def test_what_holds_now(world: World) -> None:
    """Without a window it is what visitors get now, to the byte of it."""
    world.ask(night(from_="now"))
    world.ask(night("later", from_="+2h"))
    world.wait(600)
    found = shown(world)
    (view, _) = world.truth.snapshot.sites
    held = standing(view.windows, view.site, world.wall)
    forms = Forms(view.site, lambda path, fault: None)
    given = forms.apologies(facts_of(view.site, held)).response(b"GET", [], world.wall)
    head, _, body = given.decode().partition("\r\n\r\n")
    assert found.body == body
    assert [f"HTTP/1.1 {found.status} Service Unavailable"] + [
        f"{name}: {value}" for name, value in found.headers.items()
    ] == head.split("\r\n")
    assert body == "disks|down|2026-11-21T14:00:00+01:00|2026-11-21T13:00:00+01:00"
    assert (found.type, found.language) == ("text/html; charset=utf-8", "en")
    assert found.headers["Retry-After"] == "3000"
    assert found.warnings == ()


def test_what_comes_next(world: World) -> None:
    """Where nothing holds the site down it is the next window, as at its beginning."""
    world.ask(night())
    found = shown(world)
    assert found.body.startswith("disks|down|2026-11-21T14:10:00+01:00|")
    assert found.headers["Retry-After"] == "3600"
    assert found.warnings == ()


def test_what_is_made_up(world: World) -> None:
    """Without any window there is still a page to be seen, and it says so."""
    found = shown(world)
    assert found.body.startswith("an example of a reason|down|2026-11-21T14:00:00+01:00|")
    assert found.warnings == ("no window is planned: this one is made up",)


@pytest.mark.parametrize("name", ["night", "over", "gone"])
def test_a_window(world: World, name: str) -> None:
    """Any window can be looked at: one to come, one that is over, one that was cancelled."""
    world.ask(SiteDown(site="shop", reason="now"))
    world.ask(night("over", from_="now"))
    world.ask(WindowEnd(id="over"))
    world.ask(night("gone"))
    world.ask(WindowCancel(id="gone"))
    world.ask(night("night"))
    assert shown(world).body.startswith("now|")
    found = world.ask(PagePreview(window=name))  # which says its site
    assert found.body.startswith("disks|down|2026-11-21T14:")
    assert found.headers["Retry-After"] == "3600"


def test_a_series_and_its_instance(world: World) -> None:
    """Of a series the next instance is shown, or the one that is named."""
    world.ask(night("nightly", every="daily"))
    first = "2026-11-21T14:10:00+01:00"
    assert shown(world, window="nightly").body.startswith(f"disks|down|{first}|")
    found = shown(world, window="nightly@2026-11-23T13:10:00+01:00")
    assert found.body.startswith("disks|down|2026-11-23T14:10:00+01:00|")


@pytest.mark.parametrize(
    ("phase", "body", "retry_after"),
    [
        (Phase.DRAINING, "disks|draining|2026-11-21T14:10:00+01:00|", "3600"),
        (Phase.DOWN, "disks|down|2026-11-21T14:10:00+01:00|", "3600"),
        (Phase.VERIFYING, "disks|verifying||", "30"),
    ],
)
def test_phases(world: World, phase: Phase, body: str, retry_after: str) -> None:
    """It can be seen in every phase that has a page; verifying knows no end."""
    world.ask(night())
    found = shown(world, phase=phase)
    assert found.body.startswith(body)
    assert found.headers["Retry-After"] == retry_after


@pytest.mark.parametrize("cause", [Cause.WINDOW, Cause.MANUAL, Cause.FILE])
def test_causes(world: World, cause: Cause) -> None:
    """A window can be seen as if it were there for another cause."""
    world.ask(night())
    found = shown(world, cause=cause)
    assert found.headers["Sorry-Cause"] == cause.value
    assert found.body.startswith("disks|down|2026-11-21T14:10:00+01:00|")


@pytest.mark.parametrize("phase", [None, Phase.VERIFYING])
def test_unplanned(world: World, phase: Phase | None) -> None:
    """The page of an outage that nobody planned can be seen before there is one."""
    world.ask(night(from_="now"))
    found = shown(world, cause=Cause.MEMBERS, phase=phase)
    assert found.headers["Sorry-Cause"] == "members"
    assert found.headers["Retry-After"] == "30"
    assert found.body == "|down||"
    assert found.warnings == ()


def test_no_member_is_left(world: World) -> None:
    """Where members died that is what visitors get now; a window that is asked for, then that."""
    world.ask(night())
    for url in (A, B, SHARED):
        world.truth.report(MemberFailed(site="shop", url=url, why="reset"))
    assert shown(world).headers["Sorry-Cause"] == "members"
    assert shown(world, window="night").headers["Sorry-Cause"] == "window"
    assert shown(world, cause=Cause.WINDOW).headers["Sorry-Cause"] == "window"
    world.ask(SiteDown(site="shop"))
    assert shown(world).headers["Sorry-Cause"] == "manual"


def test_languages_and_types(world: World) -> None:
    """It can be seen in every language and type, chosen as for a visitor."""
    world.ask(night())
    found = shown(world, language="ja-JP, en;q=0.5")
    assert found.body == "日本語 2026年11月21日(土) 14:10 CET"
    assert found.language == found.headers["Content-Language"] == "ja"
    found = shown(world, accept="application/json", language="ja")
    assert found.type == "application/problem+json"
    assert json.loads(found.body)["until"] == "2026-11-21T14:10:00+01:00"
    assert shown(world, accept="text/plain").body.startswith("shop is down for maintenance.\n")


def test_a_given_page(world: World) -> None:
    """A sorry file is shown as it is, in the charset that its type says."""
    page = GivenPage(body="<p>caf\xe9".encode("latin-1"), since=NOON,
                     media_type="text/html; charset=ISO-8859-1")  # fmt: skip
    world.truth.find_file("shop", page)
    found = shown(world)
    assert found.body == "<p>café"
    assert found.language is None
    for charset in ("nonsense", "idna"):  # no charset, and one for names of hosts alone
        world.truth.find_file("shop", replace(page, media_type=f"text/html; charset={charset}"))
        assert shown(world).body == "<p>caf\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (Scope(paths=("/shop/", "/cart")), "is for paths below /shop/ and paths below /cart only"),
        (Scope(methods=("unsafe",)), "is for methods that are unsafe only"),
        (Scope(members=("http://10.0.0.1:3000",)), "takes out members only"),
    ],
)
def test_a_part(world: World, scope: Scope, words: str) -> None:
    """A window that is not for all says who gets the page."""
    world.ask(night())
    planned = world.truth.find("night")
    assert planned is not None
    world.truth.apply([WindowPut(window=replace(planned, scope=scope))])
    (warning,) = shown(world, window="night").warnings
    assert words in warning


def test_read_only_site(tmp_path: Path) -> None:
    """Of a site that is read_only it is said that readers are served."""
    config = replace(CONFIG, sites=(site("shop", member(A), read_only=True),))
    world = World(str(tmp_path / "sorryd.db"), config)
    world.ask(WindowSchedule(id="night", from_="+1h", for_="1h"))
    words = "night is for methods that are unsafe only: other requests go to the site"
    for asked in (PagePreview(), PagePreview(window="night")):  # one site need not be named
        assert world.ask(asked).warnings == (words,)
    world.journal.close()


def test_a_page_that_fails(tmp_path: Path) -> None:
    """A page that fails for this outage is told of, and what stands in for it is shown."""
    page = PageSource(source="{{ 1 // (site | length - 5) }}", path="/etc/p", kind=PageKind.HTML)
    config = replace(CONFIG, sites=(site("shops", member(A), sorry_pages=(page,)),))
    world = World(str(tmp_path / "sorryd.db"), config)
    found = world.ask(PagePreview())
    assert "unavailable" in found.body
    assert found.warnings[1].startswith("/etc/p: line 1: integer division")
    world.journal.close()


@pytest.mark.parametrize(
    ("asked", "code", "field", "words"),
    [
        (PagePreview(), ErrorCode.INVALID_PARAMS, "site", "name one of the sites: shop, blog"),
        (PagePreview(site="nosuch"), ErrorCode.NOT_FOUND, "site", "no site nosuch"),
        (PagePreview(window="nosuch"), ErrorCode.NOT_FOUND, "id", "no window nosuch"),
        (PagePreview(site="blog", window="night"), ErrorCode.CONFLICT, "window",
         "night is a window of shop, not of blog"),
        (PagePreview(site="shop", phase=Phase.LIVE), ErrorCode.INVALID_PARAMS, "phase",
         "in phase live visitors see the site itself: say draining, down or verifying"),
        (PagePreview(site="shop", phase=Phase.ANNOUNCED), ErrorCode.INVALID_PARAMS, "phase", "see"),
    ],
)  # fmt: skip
def test_refusals(
    world: World, asked: PagePreview, code: ErrorCode, field: str, words: str
) -> None:
    """What can't be shown is refused, with what to say instead."""
    world.ask(night())
    error = world.refused(asked)
    assert (error.code, error.field) == (code, field)
    assert words in error.message


def test_a_window_of_a_site_that_is_gone(world: World) -> None:
    """A window of a site that the configuration has no longer can't be shown."""
    world.ask(night("night", site="blog"))
    world.truth.configure(replace(world.config, sites=world.config.sites[:1]))
    error = world.refused(PagePreview(window="night"))
    assert (error.code, error.field) == (ErrorCode.NOT_FOUND, "window")


def test_nothing_changes(world: World) -> None:
    """To look at a page changes nothing, for the window that is made up neither."""
    shown(world)
    world.wait(2 * HOUR)
    assert world.ids() == set()
    assert world.phase() == "live"
