"""How an edge retires and stops, on real sockets."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import pytest
from tests.edge.leaving import arrives, goes, opened, told
from tests.edge.test_entrance import secured, shown, trusting
from tests.edge.town import Town, asked, site

from sorryd.edge.departure import GRACE


@pytest.mark.parametrize("how", ["retire", "stop"])
def test_the_last_request(town: Town, how: str) -> None:
    """A connection at rest is answered its next request, told to close, and closed."""
    bound = opened(town)
    name = bound.sock.getsockname()
    with town.visitor(bound) as used, town.visitor(bound) as new:
        assert town.meanwhile(partial(told, used)) is None
        arrives(town, 2)
        over = goes(town, how)
        town.loop.rest()
        assert not over
        for wire in (used, new):
            assert town.meanwhile(partial(told, wire)) == "close"
            assert town.meanwhile(partial(wire.recv, 1)) == b""
        town.passes(0.25)
        town.loop.until(lambda: over)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(name)


def test_who_asks_nothing_when_sorryd_stops(town: Town) -> None:
    """A connection at rest is kept for a moment, and closed."""
    bound = opened(town)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "")) == "shop"
        over = goes(town, "stop")
        town.passes(GRACE - 0.25)
        assert len(town.edge._sites["shop"].visitors) == 1
        town.passes(0.25)
        assert town.meanwhile(lambda: wire.recv(1)) == b""
        town.passes(0.25)
        town.loop.until(lambda: over)


def test_who_asks_nothing_of_one_that_retires(town: Town) -> None:
    """A connection at rest is closed by its time-out, not before."""
    bound = opened(town)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "")) == "shop"
        over = goes(town, "retire", 600.0)
        town.passes(59.0)
        assert len(town.edge._sites["shop"].visitors) == 1
        town.passes(1.5)
        assert town.meanwhile(lambda: wire.recv(1)) == b""
        town.loop.until(lambda: over)


@pytest.mark.parametrize("how", ["retire", "stop"])
def test_at_once(town: Town, how: str) -> None:
    """With no time left, everything ends in the same turn."""
    bound = opened(town)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "")) == "shop"
        over = goes(town, how, 0.0)
        assert town.meanwhile(lambda: wire.recv(1)) == b""
        town.loop.until(lambda: over)


def test_who_stands_outside(town: Town) -> None:
    """Who has connected, and was not accepted yet, is served when sorryd stops."""
    bound = opened(town)
    with town.visitor(bound) as first, town.visitor(bound) as second:
        over = goes(town, "stop")
        assert town.meanwhile(partial(told, first)) == "close"
        assert town.meanwhile(partial(told, second)) == "close"
        town.passes(0.25)
        town.loop.until(lambda: over)


def test_others_accept_who_stands_outside(town: Town) -> None:
    """An edge that retires leaves who waits to those who share its socket."""
    bound = opened(town)
    with bound.sock.dup() as shared, town.visitor(bound) as wire:
        over = goes(town, "retire")
        town.loop.until(lambda: over)
        accepted, _ = shared.accept()
        with accepted:
            assert accepted.getpeername() == wire.getsockname()


@pytest.mark.parametrize("how", ["retire", "stop"])
def test_handshakes(town: Town, tmp_path: Path, how: str) -> None:
    """A TLS handshake that is under way is gone on with, and a request after it answered."""
    shop = secured(tmp_path, "shop", "shop.example")
    town.publish(shop)
    bound = town.bound("shop", tls=True)
    town.open(bound, certificates=shown(shop))

    def greet(wire: socket.socket) -> str | None:
        with trusting().wrap_socket(wire, server_hostname="shop.example") as secure:
            said = told(secure, "shop.example")
            assert secure.recv(1) == b""
            return said

    with town.visitor(bound) as wire:
        arrives(town)
        over = goes(town, how)
        assert town.meanwhile(partial(greet, wire)) == "close"
        town.passes(0.25)
        town.loop.until(lambda: over)


@pytest.mark.parametrize("how", ["retire", "stop"])
def test_introductions(town: Town, how: str) -> None:
    """A proxy that has not said yet for whom it comes may do so."""
    bound = opened(town, proxy=True, trusted_proxies=("127.0.0.1",))
    with town.visitor(bound) as wire:
        arrives(town)
        over = goes(town, how)
        wire.sendall(b"PROXY UNKNOWN\r\n")
        assert town.meanwhile(partial(told, wire)) == "close"
        town.passes(0.25)
        town.loop.until(lambda: over)


def test_proxies_that_say_nothing(town: Town) -> None:
    """Who has not said for whom it comes is waited for no longer than those at rest."""
    bound = opened(town, proxy=True, trusted_proxies=("127.0.0.1",))
    with town.visitor(bound) as wire:
        arrives(town)
        over = goes(town, "stop")
        town.passes(GRACE + 0.25)
        town.loop.until(lambda: over)
        assert wire.recv(1) == b""


def test_snapshots_go_on(town: Town) -> None:
    """An edge that retires serves by what is published, sites that are new among it."""
    bound = opened(town)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "")) == "shop"
        over = goes(town, "retire")
        town.publish(site("shop", sorry_status=500), site("blog"))
        assert not town.edge._sites["blog"].lasting
        town.passes(0.5)
        assert town.meanwhile(partial(told, wire)) == "close"
        assert town.meanwhile(lambda: wire.recv(1)) == b""
        town.passes(0.25)
        town.loop.until(lambda: over)


def test_stopped_while_it_retires(town: Town) -> None:
    """Who is told to stop while it retires stops, and both are over then."""
    bound = opened(town)
    with town.visitor(bound) as wire:
        assert town.meanwhile(lambda: asked(wire, "")) == "shop"
        over = goes(town, "retire", 600.0)
        stopped = goes(town, "stop", 30.0)
        town.passes(GRACE)
        assert town.meanwhile(lambda: wire.recv(1)) == b""
        town.passes(0.25)
        town.loop.until(lambda: over and stopped)
    assert goes(town, "stop") == [None]


@pytest.mark.parametrize("how", ["retire", "stop", "hurry"])
def test_what_is_left_is_cut(town: Town, how: str) -> None:
    """At the limit, or asked again, a request that is still on its way is cut."""
    bound = opened(town)
    with town.visitor(bound) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab")
        assert town.meanwhile(lambda: wire.recv(65536)).startswith(b"HTTP/1.1 503")
        over = goes(town, how, 3.0)
        town.passes(2.0)
        assert not over
        if how == "hurry":
            town.edge.hurry()
        town.passes(0.25 if how == "hurry" else 1.0)
        town.loop.until(lambda: over)
