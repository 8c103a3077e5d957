"""A connection whose requests are for several sites, or for one that is configured anew."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.edge.messages import GET, OK, asked, field_of, passed, request, status_of
from tests.edge.scene import Scene, Stage
from tests.edge.watched import Watched

from sorryd.edge.site import SiteEdge

TRUSTED = ("192.0.2.0/24",)
CLAIMS = b"X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-Proto: https\r\n"
CLAIMED = request(fields=CLAIMS)
OTHER = GET.replace(b"shop", b"other")
CLAIMED_OTHER = CLAIMED.replace(b"shop", b"other")


class TwoSites:
    """A door that leads to another site by its host, too."""

    def __init__(self, home: SiteEdge, other: SiteEdge) -> None:
        self.home = home
        self.alone = None
        self.other = other

    def site_for(self, host: bytes, server_name: bytes | None) -> SiteEdge:
        return self.other if host == b"other.example" else self.home


def beside(scene: Scene, **fields: object) -> SiteEdge:
    """Another site, with members of the same names; `fields` are those of model.Site."""
    view = scene.site.view
    other = replace(view, site=replace(view.site, name="other", **fields))
    site = SiteEdge(
        other, scene.wheel, lambda: scene.wall, scene, scene.reports.append, scene._soon.append
    )
    scene.door = TwoSites(scene.site, site)
    return site


def test_two_sites(stage: Stage) -> None:
    """Each request goes to a member of its own site, and is counted there."""
    scene = stage()
    other = beside(scene)
    visitor = scene.visitor()
    visitor.says(GET + OTHER + GET)
    first = scene.member()
    first.says(OK)
    second = scene.member()
    assert [active.requests for active in other.active()] == [1]
    assert len(other.visitors) == 1
    assert not scene.site.visitors
    second.says(OK)
    first.says(OK)
    assert visitor.gets() == 3 * passed(OK)
    other.close()


def test_belief_is_each_sites_own(stage: Stage) -> None:
    """What a proxy claims is nothing to a site that does not trust it, whoever else does."""
    scene = stage(trusted_proxies=TRUSTED)
    other = beside(scene, trusted_proxies=(), redirect_https=True)
    visitor = scene.visitor()
    visitor.says(CLAIMED)
    member = scene.member()
    for message in (OTHER, CLAIMED_OTHER):
        member.says(OK)
        assert visitor.gets() == passed(OK)
        visitor.says(message)
        assert status_of(visitor.gets()) == 308
        visitor.says(CLAIMED)
    member.says(OK)
    other.close()


def test_belief_of_the_first_request_elsewhere(stage: Stage) -> None:
    """A site that trusts the proxy believes it at once."""
    scene = stage()
    other = beside(scene, trusted_proxies=TRUSTED, redirect_https=True)
    visitor = scene.visitor()
    visitor.says(CLAIMED_OTHER)
    member = scene.member()
    assert field_of(member.gets(), b"X-Forwarded-For") == b"198.51.100.1, 192.0.2.7"
    member.says(OK)
    visitor.says(GET)
    member = scene.member()
    assert member.gets() == asked(GET)
    member.says(OK)
    other.close()


@pytest.mark.parametrize(
    ("message", "client"), [(OTHER, "192.0.2.7"), (CLAIMED_OTHER, "198.51.100.1")]
)
def test_full_site(stage: Stage, message: bytes, client: str) -> None:
    """Where there is no place for one more, it is told so; the log says who that was."""
    scene = stage(trusted_proxies=TRUSTED)
    other = beside(scene, max_connections=0)
    watched = Watched(scene)
    visitor = scene.visitor()
    visitor.says(CLAIMED)
    scene.member().says(OK)
    assert watched.line("client") == ("198.51.100.1",)
    visitor.says(message)
    assert watched.line("status", "client", "site") == (503, client, "shop")
    assert visitor.has_fin
    other.close()


def test_trusted_no_more(stage: Stage) -> None:
    """A new configuration holds for the next request of a connection that is open."""
    scene = stage()
    visitor, member = scene.warmed_up()
    for trusted, told in [
        (TRUSTED, b"198.51.100.1, 192.0.2.7"),
        ((), b"192.0.2.7"),
        (TRUSTED, b"198.51.100.1, 192.0.2.7"),
    ]:
        scene.configure(trusted_proxies=trusted)
        visitor.says(CLAIMED)
        assert field_of(member.gets(), b"X-Forwarded-For") == told
        member.says(OK)
