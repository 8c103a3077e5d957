"""Windows for a part of a site, with reasons by language: dialogues with a control side."""

from __future__ import annotations

import msgspec
import pytest
from tests.control.checks import passes
from tests.control.world import CONFIG, HOUR, SHARED, A, B, World, night

from sorryd.messages import (
    MemberSet,
    SiteDown,
    SiteUp,
    Status,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowSchedule,
)
from sorryd.model import MemberState
from sorryd.replies import WindowPhase
from sorryd.snapshot import GivenPage
from sorryd.window import Scope


def of(site: str = "shop", **scope: tuple[str, ...]) -> WindowSchedule:
    return night(from_="now", site=site, scope=Scope(**scope))


def states(world: World) -> list[str]:
    (shop,) = world.ask(Status(site="shop")).sites
    return [member.state.value for member in shop.members]


@pytest.mark.parametrize("scope", [{"paths": ("/shop", "/blog/")}, {"methods": ("unsafe", "GET")}])
def test_paths_and_methods(world: World, scope: dict[str, tuple[str, ...]]) -> None:
    """The site stays live, the edge is told, and the status shows the window."""
    window = world.ask(of("shop", **scope))
    assert window.scope == Scope(**scope)
    assert window.phase is WindowPhase.DOWN
    (shop,) = world.ask(Status(site="shop")).sites
    assert (shop.phase, shop.window, shop.partial) == ("live", None, (window,))
    assert [one.id for one in world.published[-1].sites[0].windows] == ["night"]
    world.wait(HOUR)
    (shop,) = world.ask(Status(site="shop")).sites
    assert shop.partial == ()


def test_a_part_is_announced(world: World) -> None:
    """As all windows are."""
    world.ask(night(scope=Scope(paths=("/a",))))
    (shop,) = world.ask(Status(site="shop")).sites
    assert (shop.phase, shop.next.id) == ("announced", "night")


def test_members_drain_and_rest(world: World) -> None:
    """A member drains, is in maintenance, and then what the operator wants of it."""
    window = world.ask(of(members=(A,)))
    assert (window.phase, states(world)) == (WindowPhase.DRAINING, ["drain", "ready", "ready"])
    assert world.phase() == "live"
    world.wait(30)
    assert states(world) == ["maint", "ready", "ready"]
    assert world.ask(WindowGet(id="night")).phase is WindowPhase.DOWN
    world.ask(MemberSet(url=A, state=MemberState.DRAIN))
    world.ask(MemberSet(url=B, state=MemberState.MAINT))
    assert states(world) == ["maint", "maint", "ready"]
    world.restart()
    assert states(world) == ["maint", "maint", "ready"]
    world.wait(HOUR)
    assert states(world) == ["drain", "maint", "ready"]


def test_windows_of_a_member_that_touch(world: World) -> None:
    """They are one: it drains once."""
    world.ask(of(members=(A,)))
    world.ask(night("more", from_="+1h", scope=Scope(members=(A,))))
    for _ in range(7):
        world.wait(600)
        assert states(world)[0] == "maint"


def test_a_clock_that_steps_back_returns_a_member(world: World) -> None:
    """What a window takes out is a level: it follows the clock, whichever way."""
    world.ask(night(from_="+10m", scope=Scope(members=(A,))))
    for seconds, state in ((700, "maint"), (-650, "ready"), (560, "drain"), (9000, "ready")):
        world.step(seconds)
        world.truth.look()
        assert states(world)[0] == state


def test_a_member_until_it_is_healthy(world: World) -> None:
    """It is checked in drain after its end, and serves when it passed."""
    request = night(from_="now", until_healthy="5m", scope=Scope(members=(A,)))
    world.ask(request)
    world.wait(HOUR)
    assert world.ask(WindowGet(id="night")).phase is WindowPhase.VERIFYING
    assert (states(world)[0], world.phase()) == ("drain", "live")
    passes(world, B)
    assert states(world)[0] == "drain"
    passes(world, A)
    assert states(world)[0] == "ready"
    assert world.ids() == set()


def test_a_shared_member_by_its_site(world: World) -> None:
    """SITE/URL is the URL in that site; a window for every site takes it out of all."""
    window = world.ask(of("blog", members=(f"blog/{SHARED}/",)))
    assert window.scope.members == (SHARED,)
    assert states(world)[2] == "ready"
    world.ask(night("all", from_="now", site=None, scope=Scope(members=(SHARED,))))
    assert states(world)[2] == "drain"


def test_up_leaves_members_out(world: World) -> None:
    """`up` ends windows of paths, but a member is not back for that."""
    world.ask(of(members=(A,)))
    world.ask(night("part", from_="now", scope=Scope(paths=("/a",))))
    world.ask(SiteDown(site="shop"))
    (shop,) = world.ask(SiteUp(site="shop"))
    assert (shop.phase, [one.id for one in shop.partial]) == ("live", ["night"])


def test_read_only(world: World) -> None:
    """On a read-only site a planned window stands beside, for unsafe methods; a down does not."""
    shop, blog = CONFIG.sites
    read_only = msgspec.structs.replace(shop, read_only=True)
    world.truth.configure(msgspec.structs.replace(CONFIG, sites=(read_only, blog)))
    world.ask(night(from_="now", site=None))
    status = world.ask(Status()).sites
    assert [site.phase.value for site in status] == ["live", "draining"]
    assert [one.scope.methods for one in status[0].partial] == [("unsafe",)]
    (shop_status,) = world.ask(SiteDown(site="shop"))
    assert shop_status.phase == "draining"


def test_reasons(world: World) -> None:
    """They are kept by language, said again, and those of the reason that is shown."""
    world.ask(SiteDown(site="shop", reason="disks", reasons={"ja": "ディスク", "pt-BR": "discos"}))
    (shop,) = world.ask(SiteDown(site="shop", for_="1h"))
    assert shop.window.reasons == {"ja": "ディスク", "pt-br": "discos"}
    standing = world.truth.standing(CONFIG.sites[0])
    assert [one.language for one in standing.reasons] == ["ja", "pt-br"]
    (shop,) = world.ask(SiteDown(site="shop", reasons={"de": "Platten"}))
    assert shop.window.reasons == {"de": "Platten"}


def test_each_change_counts(world: World) -> None:
    """A window's sequence grows with each change, and with none that changes nothing."""
    request = WindowSchedule(from_="2026-11-22 02:00", for_="1h", id="night", site="shop")

    def sequence() -> int:
        window = next(one for one in world.truth.windows if one.id == "night")
        return window.sequence

    world.ask(request)
    world.ask(request)
    assert sequence() == 0
    world.ask(WindowExtend(id="night", by="1h"))
    assert sequence() == 1
    world.ask(msgspec.structs.replace(request, reason="disks"))
    assert sequence() == 2
    world.wait(13.5 * HOUR)
    world.ask(WindowEnd(id="night"))
    change = world.journal.commits[-1].after[0]
    assert change.window.sequence == 3  # type: ignore[union-attr]  # of a window


def test_up_under_a_sorry_file(world: World) -> None:
    """Refused, with the file named, and nothing is changed; other sites may come up."""
    shop, blog = CONFIG.sites
    filed = msgspec.structs.replace(shop, sorry_file="/srv/maintenance.html")
    world.truth.configure(msgspec.structs.replace(CONFIG, sites=(filed, blog)))
    world.ask(SiteDown())
    page = GivenPage(body=b"sorry", media_type="text/html", since=world.wall)
    world.truth.find_file("shop", page)
    for site in ("shop", None):
        error = world.refused(SiteUp(site=site))
        assert error.message == "shop is down by its sorry file: remove /srv/maintenance.html"
    (found,) = world.ask(SiteUp(site="blog"))
    assert found.phase == "live"
    (found,) = world.ask(Status(site="shop")).sites
    assert (found.phase, found.cause, found.until) == ("draining", "file", None)
    assert found.window.id == "w1"
    world.truth.find_file("shop", None)
    assert [one.phase.value for one in world.ask(SiteUp())] == ["live", "live"]
