"""When there is no room for more visitors of a real sorryd: places, and descriptors."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Message, Wire, request, visitor
from tests.end_to_end.workers import ALONE

PROXY: Final = b"PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\n"
FEW: Final = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))"


def asks(wire: Wire, host: bytes = b"shop.example") -> Message:
    """One request for a host."""
    wire.send(request().replace(b"shop.example", host))
    return wire.answer()


def unix_visitor(path: Path) -> Wire:
    """A connection to a UNIX socket."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    sock.connect(str(path))
    return Wire(sock)


def test_a_full_site_beside_one_that_is_not(tmp_path: Path, member: Member) -> None:
    """Who moves from site to site on one connection takes a place at each, and leaves it."""
    listen = "unix:both.sock"
    ini = configuration([member.url], listen=listen, hosts="shop.example", max_connections=3)
    ini += section("blog", [member.url], listen=listen, hosts="blog.example", max_connections=1)
    path = tmp_path / "both.sock"
    with Daemon(tmp_path, ini), unix_visitor(path) as first, unix_visitor(path) as second:
        for _ in range(3):
            assert asks(first, b"blog.example").status == 200
            assert asks(second).status == 200
        reply = asks(second, b"blog.example")
        assert (reply.status, reply.one("Retry-After")) == (503, b"1")
        assert reply.one("Connection") == b"close"
        assert second.until_end() == b""
        assert asks(first, b"shop.example").status == 200
        with unix_visitor(path) as third:
            assert asks(third, b"blog.example").status == 200


def test_keep_alive_keeps_its_place(tmp_path: Path, member: Member) -> None:
    """Those who are in are served on and on, while others are turned away."""
    with Daemon(tmp_path, configuration([member.url], max_connections=2, daemon=ALONE)) as daemon:
        port = daemon.port()
        with visitor(port) as one, visitor(port) as other:
            for _ in range(30):
                assert asks(one).status == 200
                assert asks(other).status == 200
                with visitor(port) as third:
                    assert asks(third).status == 503
                    assert third.until_end() == b""
        assert daemon.log.count("is full") == 1


@contextlib.contextmanager
def street(folder: Path, member: Member) -> Iterator[Daemon]:
    """A daemon with few descriptors; two sites at a plain address and one of proxies."""
    keys = {"trusted_proxies": "127.0.0.1/32, unix"}
    listen = "unix:both.sock, unix:proxies.sock proxy"
    ini = configuration([member.url], listen=listen, hosts="shop.example", **keys)
    ini += section("blog", [member.url], listen=listen, hosts="blog.example", **keys)
    with Daemon(folder, ini, launcher=FEW) as daemon:
        yield daemon


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """All doors rest, each says so once, and all go on when there is room again."""
    with Member(saying(b"hello")) as member, street(tmp_path, member) as daemon:
        doors = {"both.sock": b"", "proxies.sock": PROXY}

        def served(name: str, host: bytes) -> bool:
            with unix_visitor(tmp_path / name) as wire:
                wire.send(doors[name])
                return asks(wire, host).body == b"hello"

        assert all(served(name, b"blog.example") for name in doors)
        for _ in range(2):
            early = unix_visitor(tmp_path / "both.sock")
            assert asks(early).status == 200
            wires = [unix_visitor(tmp_path / name) for name in doors for _ in range(15)]
            for name in doors:
                daemon.wait_for_log(f"{name}: can't accept: the limit of descriptors")
            assert asks(early, b"blog.example").status == 200
            assert daemon.ctl("status").returncode == 0
            for wire in (early, *wires):
                wire.close()
            for name in doors:
                for host in (b"shop.example", b"blog.example"):
                    until(lambda name=name, host=host: served(name, host), "to be served again")  # type: ignore[misc]
        assert 2 <= daemon.log.count("can't accept") <= 2 * daemon.edges
