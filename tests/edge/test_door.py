"""Which site a connection's requests are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tests.edge.loops import never
from tests.edge.scene import PAGE
from twisted.internet.task import Clock

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.door import REMEMBERED, Door
from sorryd.edge.member_interfaces import NewConnection
from sorryd.edge.site import SiteEdge
from sorryd.edge.wheel import Wheel
from sorryd.model import Certificate, Listen, Member, PageSource, Site
from sorryd.snapshot import SiteView

PLAIN = Listen(host="192.0.2.1", port=80)


class Nobody:
    """Members that no test asks for."""

    timeout = 5.0

    def take(self, member: Member) -> None:
        raise AssertionError(member)

    def connect(
        self, connection: NewConnection, member: Member, done: Callable[[str | None], None]
    ) -> Callable[[], None]:
        raise AssertionError(member)


def site(name: str, *hosts: str, shows: Sequence[str] = ()) -> Site:
    return Site(
        name=name,
        listen=(),
        members=(),
        timezone="UTC",
        sorry_pages=(PageSource(source=PAGE),),
        hosts=hosts,
        certificates=tuple(Certificate(chain=file) for file in shows),
    )


def edge(configured: Site) -> SiteEdge:
    clock = Clock()
    wheel = Wheel(clock, clock.seconds)
    return SiteEdge(
        SiteView(site=configured, members=()), wheel, lambda: 0.0, Nobody(), never, never
    )


class Street:
    """Sites by their names, and a door that leads to them in that order."""

    def __init__(self, *sites: Site) -> None:
        self.sites = {one.name: edge(one) for one in sites}
        self.door = Door(PLAIN)
        self.door.names = tuple(self.sites)
        self.door.lead_to(self.sites)

    def finds(self, host: bytes, server_name: bytes | None = None) -> str:
        """The name of the site."""
        return self.door.site_for(host, server_name).view.site.name

    def refuses(self, host: bytes, server_name: bytes) -> int:
        """The status."""
        with pytest.raises(BadMessage) as bad:
            self.door.site_for(host, server_name)
        return bad.value.status


@pytest.fixture
def street() -> Street:
    return Street(
        site("shop", "shop.example", "*.shop.example", shows=["shop.pem"]),
        site("blog", "blog.example", shows=["blog.pem"]),
        site("news", "news.example", shows=["blog.pem"]),
    )


@pytest.mark.parametrize(
    ("host", "found"),
    [
        (b"shop.example", "shop"),
        (b"www.shop.example:8080", "shop"),
        (b"BLOG.example.", "blog"),
        (b"nobody.test", "shop"),
        (b"", "shop"),
        (b"x" * 10_000, "shop"),
    ],
)
def test_by_host(street: Street, host: bytes, found: str) -> None:
    """The site that names the Host, else the first; asked again, the same."""
    assert [street.finds(host) for _ in range(2)] == [found, found]
    assert street.door.home is street.sites["shop"]


@pytest.mark.parametrize("host", [b"shop.example", b"nobody.test", b""])
def test_alone(host: bytes) -> None:
    """The only site of an address takes all that comes, whatever SNI says."""
    street = Street(site("shop", "shop.example", shows=["shop.pem"]))
    assert street.finds(host, b"nobody.test") == "shop"


@pytest.mark.parametrize(
    ("host", "server_name", "found"),
    [
        pytest.param(b"blog.example", b"blog.example", "blog", id="the same"),
        pytest.param(b"Blog.example:8443", b"blog.example", "blog", id="another spelling"),
        pytest.param(b"a.shop.example", b"b.shop.example", "shop", id="the same site"),
        pytest.param(b"blog.example", b"news.example", "blog", id="the same certificates"),
        pytest.param(b"blog.example", None, "blog", id="no SNI"),
        pytest.param(b"blog.example", b"origin.test", "blog", id="SNI that chose nothing"),
    ],
)
def test_agreeing(street: Street, host: bytes, server_name: bytes | None, found: str) -> None:
    """A request is served where SNI asked for the same certificates, or for none."""
    assert street.finds(host, server_name) == found


@pytest.mark.parametrize(
    ("host", "server_name"),
    [
        pytest.param(b"blog.example", b"shop.example", id="exact"),
        pytest.param(b"shop.example", b"blog.example", id="to the default"),
        pytest.param(b"blog.example", b"www.shop.example", id="wildcard"),
        pytest.param(b"nobody.test", b"blog.example", id="nobody's Host is the default's"),
        pytest.param(b"", b"blog.example", id="no Host"),
    ],
)
def test_misdirected(street: Street, host: bytes, server_name: bytes) -> None:
    """421 where a certificate of one site was chosen, and the Host is for another one's."""
    assert street.refuses(host, server_name) == 421
    assert street.finds(server_name, server_name)  # and the connection is good for its own
    assert street.refuses(host, server_name) == 421


def test_memory(street: Street) -> None:
    """However many Hosts come, few are remembered, and none that is too long for a name."""
    for number in range(3 * REMEMBERED):
        street.finds(b"%d.shop.example" % number)
        street.finds(b"%d" % number + b"x" * 500)
        assert len(street.door._known) <= REMEMBERED
    assert max(map(len, street.door._known)) < 300
    assert street.finds(b"blog.example") == "blog"


def test_following(street: Street) -> None:
    """Hosts that are configured anew are looked up anew, and sites that go are not found."""
    assert street.finds(b"old.example") == "shop"
    street.sites["blog"] = edge(site("blog", "old.example"))
    street.door.lead_to(street.sites)
    assert street.finds(b"old.example") == "blog"
    del street.sites["shop"]
    street.door.lead_to(street.sites)
    assert street.finds(b"shop.example") == "blog"
    assert street.door.home is street.sites["blog"]


def test_other_names(street: Street) -> None:
    """A door may get other sites; the order is its own."""
    street.door.names = ("news", "shop")
    street.door.lead_to(street.sites)
    assert street.finds(b"blog.example") == "news"
    assert street.finds(b"shop.example") == "shop"


def test_the_last_sites(street: Street) -> None:
    """A door of which all sites have gone leads to them, so that they can finish."""
    shop = street.door.home
    street.door.lead_to({})
    assert street.door.home is shop
    assert street.finds(b"blog.example") == "blog"
