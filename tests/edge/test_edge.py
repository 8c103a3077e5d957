"""Listeners and sites that come and go, on real sockets."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.edge.town import Town, asked, site
from twisted.logger import capturedLogs

from sorryd.edge.departure import GRACE
from sorryd.edge.listener import Bound
from sorryd.edge.site import SiteEdge
from sorryd.model import Listen
from sorryd.reports import EdgePassed, MemberFailed


def test_hosts(town: Town) -> None:
    """Several sites at one address: by Host, else the first; elsewhere, others."""
    town.publish(site("shop", "shop.example"), site("blog", "*.blog.example"), site("news"))
    both, alone = town.bound("shop", "blog"), town.bound("news")
    town.open(both, alone)
    assert town.asks(both, "shop.example") == "shop"
    assert town.asks(both, "a.blog.example:80") == "blog"
    assert town.asks(both, "nobody.test") == "shop"
    assert town.asks(alone, "shop.example") == "news"


def test_one_connection_for_two_sites(town: Town) -> None:
    """Requests of one connection may be for different sites; it moves."""
    town.publish(site("shop", "shop.example"), site("blog", "blog.example"))
    bound = town.bound("shop", "blog")
    town.open(bound)
    with town.visitor(bound) as wire:
        for host in ("blog.example", "shop.example", "blog.example"):
            assert town.meanwhile(partial(asked, wire, host)) == host.partition(".")[0]


def test_reopened(town: Town) -> None:
    """Who waits to be accepted when listeners are exchanged is served as the new ones say."""
    town.publish(site("shop"), site("blog"))
    kept, gone = town.bound("shop"), town.bound("shop")
    town.open(kept, gone)
    with town.visitor(gone) as old, town.visitor(kept) as waiting:
        assert town.meanwhile(lambda: asked(old, "")) == "shop"
        fresh = town.bound("blog")
        town.open(Bound(kept.listen, ("blog",), kept.sock), fresh)
        assert town.meanwhile(lambda: asked(waiting, "")) == "blog"
        assert town.meanwhile(lambda: asked(old, "")) == "shop"
    assert town.asks(fresh) == "blog"
    assert gone.sock.fileno() < 0


def test_reopened_with_nothing_new(town: Town) -> None:
    """The same listeners again: nothing happens, and nothing is said."""
    town.publish(site("shop"))
    bound = town.bound("shop")
    town.open(bound)
    with capturedLogs() as logs:
        town.open(Bound(bound.listen, bound.sites, bound.sock))
    assert logs == []
    assert town.asks(bound) == "shop"


def test_another_kind_of_listener(town: Town) -> None:
    """What is spoken at an address may change; those who came before go on as they began."""
    town.publish(site("shop", trusted_proxies=("127.0.0.0/8",)))
    bound = town.bound("shop")
    town.open(bound)
    with town.visitor(bound) as old:
        assert town.meanwhile(lambda: asked(old, "")) == "shop"
        listen = Listen(host=bound.listen.host, port=0, proxy=True)
        town.open(Bound(listen, bound.sites, bound.sock))
        assert town.asks(bound, before=b"PROXY UNKNOWN\r\n") == "shop"
        assert town.meanwhile(lambda: asked(old, "")) == "shop"


def test_sites_go(town: Town) -> None:
    """A site that is gone soon ends its connections at rest; its address leads to the others."""
    town.publish(site("shop", "shop.example"), site("blog", "blog.example"))
    bound = town.bound("shop", "blog")
    town.open(bound)
    with town.visitor(bound) as shopper, town.visitor(bound) as reader:
        assert town.meanwhile(lambda: asked(shopper, "shop.example")) == "shop"
        assert town.meanwhile(lambda: asked(reader, "blog.example")) == "blog"
        town.publish(site("blog", "blog.example"))
        town.edge.look()
        assert len(town.edge._leaving) == 1
        town.passes(GRACE)
        town.edge.look()
        assert town.meanwhile(lambda: shopper.recv(1)) == b""
        assert town.meanwhile(lambda: asked(reader, "shop.example")) == "blog"
    town.open(Bound(bound.listen, ("blog",), bound.sock))
    assert town.asks(bound, "shop.example") == "blog"


@pytest.mark.parametrize("others", [True, False])
def test_the_last_request_for_a_site(town: Town, others: bool) -> None:
    """A request that comes as its site goes is answered: by another one there, or the last time."""
    town.publish(site("shop"), site("blog"))
    bound = town.bound("shop", *(["blog"] if others else []))
    town.open(bound)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "")) == "shop"
        town.publish(site("blog"))
        assert town.meanwhile(lambda: asked(wire, "")) == ("blog" if others else "shop")
        if not others:
            assert town.meanwhile(lambda: wire.recv(1)) == b""
    town.loop.rest()
    town.edge.look()
    assert not town.edge._leaving


def test_a_site_goes_in_the_middle_of_a_request(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in flight is finished, the connection ends soon, and then the site is closed."""
    town.publish(site("shop", "shop.example"), site("blog", "blog.example"))
    bound = town.bound("shop", "blog")
    town.open(bound)
    closed: list[bool] = []
    monkeypatch.setattr(SiteEdge, "close", lambda site: closed.append(True))
    with town.visitor(bound) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\nHost: blog.example\r\nContent-Length: 3\r\n\r\nab")
        assert town.meanwhile(lambda: wire.recv(65536)).startswith(b"HTTP/1.1 503")
        town.publish(site("shop", "shop.example"))
        town.edge.look()
        assert not closed
        wire.sendall(b"c")
        town.passes(GRACE)
        town.edge.look()
        assert town.meanwhile(lambda: wire.recv(1)) == b""
    town.loop.rest()
    for _ in range(2):
        town.edge.look()
        assert closed == [True]


def test_new_hosts(town: Town) -> None:
    """Hosts that are configured anew count at once, on connections that are open too."""
    town.publish(site("shop"), site("blog", "blog.example"))
    bound = town.bound("shop", "blog")
    town.open(bound)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "new.example")) == "shop"
        town.publish(site("shop"), site("blog", "new.example"))
        assert town.meanwhile(lambda: asked(wire, "new.example")) == "blog"
        assert town.meanwhile(lambda: asked(wire, "blog.example")) == "shop"


def test_reports_of_sites_that_are_gone(town: Town) -> None:
    """Nobody up there knows such a site any more."""
    town.open()
    town.publish(site("shop"), site("blog"))
    gone = town.edge._sites["blog"]
    town.publish(site("shop"))
    gone.failed(gone.pools[0], "late")
    town.edge._sites["shop"].failed(town.edge._sites["shop"].pools[0], "in time")
    failed = [report for report in town.reports if not isinstance(report, EdgePassed)]
    assert failed == [MemberFailed(site="shop", url="http://192.0.2.9", why="in time")]
    assert {active.site for active in town.edge.active()} == {"shop"}


def test_unix_socket(town: Town, tmp_path: Path) -> None:
    """A UNIX socket is a listener like others."""
    path = str(tmp_path / "shop.sock")
    town.publish(site("shop"))
    bound = town.bound("shop", path=path)
    town.open(bound)
    assert town.asks(bound) == "shop"
    town.open()
    assert bound.sock.fileno() == -1
