"""Where visitors of a real sorryd come in: names, UNIX sockets, the PROXY protocol, no place."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import BOTH, Daemon, configuration, section
from tests.end_to_end.haproxy import NEEDS_HAPROXY, haproxy
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Message, Wire, anybody, request, visitor
from tests.end_to_end.workers import BOTH_KINDS

ROOT = authority()
SHOP = request().replace(b"shop.example", b"%b")


def asks(wire: Wire, host: bytes = b"shop.example") -> Message:
    """One request for a host."""
    wire.send(SHOP % host)
    return wire.answer()


# --- names --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, line_of_workers: str) -> Iterator[Daemon]:
    """Two sites at one address, each with its own certificate and member."""
    folder = tmp_path_factory.mktemp("street")
    for name in ("shop", "blog"):
        chain, key = issue(ROOT, [f"{name}.example"])
        (folder / f"{name}.pem").write_bytes(chain + key)
    with Member(saying(b"shop")) as shop, Member(saying(b"blog")) as blog:
        listen = "unix:both.sock tls"  # no other port would be the same for both, and free
        ini = configuration(
            [shop.url], listen=listen, hosts="shop.example, *.shop.example",
            certificate="shop.pem", daemon=line_of_workers,
        )  # fmt: skip
        ini += section(
            "blog", [blog.url], listen=listen, hosts="blog.example", certificate="blog.pem"
        )
        with Daemon(folder, ini) as daemon:
            yield daemon


def comes(path: Path, tls: ssl.SSLContext | None = None, name: str | None = None) -> Wire:
    """A connection to a UNIX socket, with `tls` for `name`."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    sock.connect(str(path))
    return Wire(sock if tls is None else tls.wrap_socket(sock, server_hostname=name))


@pytest.mark.parametrize("name", ["shop", "blog"])
def test_two_sites_at_one_address(street: Daemon, name: str) -> None:
    """SNI chooses the certificate, and Host the site."""
    street.wait_for_log(f"site {name} listens at unix:.*/both.sock")
    trusting = ssl.create_default_context(cadata=ROOT.pem.decode())
    with comes(street.folder / "both.sock", trusting, f"{name}.example") as wire:
        for _ in range(2):
            assert asks(wire, f"{name}.example".encode()).body == name.encode()


def test_one_connection_for_both(street: Daemon) -> None:
    """421 for a host with another certificate, and the site that the Host names without SNI."""
    path = street.folder / "both.sock"
    with comes(path, anybody(), "shop.example") as wire:
        assert asks(wire, b"a.shop.example").body == b"shop"
        assert asks(wire, b"blog.example").status == 421
    with comes(path, anybody()) as wire:
        for host in (b"blog.example", b"shop.example", b"blog.example"):
            assert asks(wire, host).body == host.partition(b".")[0]
    street.assert_clean()


# --- UNIX sockets -------------------------------------------------------------------------


@BOTH_KINDS
@BOTH
def test_unix_socket(tmp_path: Path, foreground: bool, member: Member) -> None:
    """Whoever runs on the same machine can connect; a stale file is replaced, and ours removed."""
    path = tmp_path / "shop.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    ini = configuration([member.url], listen="unix:shop.sock")
    with Daemon(tmp_path, ini, foreground=foreground) as daemon:
        daemon.wait_for_log(f"site shop listens at unix:{path}")
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        with comes(path) as wire:
            assert asks(wire).body == b"hello"
    assert not path.exists()
    (seen,) = member.requests
    assert seen.one("X-Forwarded-For") is None
    assert (seen.one("Forwarded") or b"").startswith(b"for=unknown")


# --- the PROXY protocol -------------------------------------------------------------------

SENDS = [
    pytest.param("send-proxy", id="v1"),
    pytest.param("send-proxy-v2", id="v2"),
    pytest.param("send-proxy-v2 proxy-v2-options unique-id,crc32c,ssl", id="v2 with TLVs"),
    pytest.param("send-proxy-v2 check inter 50 check-send-proxy", id="v2 and its checks"),
]


@NEEDS_HAPROXY
@pytest.mark.parametrize("options", SENDS)
@pytest.mark.parametrize("tls", [False, True])
def test_behind_haproxy(tmp_path: Path, member: Member, tls: bool, options: str) -> None:
    """The member learns the address of who connected to HAProxy; TLS goes through it."""
    listen = "127.0.0.1:0 proxy" + " tls" * tls
    keys = {"certificate": "self-signed"} if tls else {}
    ini = configuration([member.url], listen=listen, trusted_proxies="127.0.0.1/32", **keys)
    with (
        Daemon(tmp_path, ini) as daemon,
        haproxy(
            tmp_path, f"127.0.0.1:{daemon.port(scheme='https' if tls else 'http')}", options
        ) as port,
        socket.create_connection(("127.0.0.1", port), PATIENCE, ("127.0.0.7", 0)) as sock,
        Wire(anybody().wrap_socket(sock) if tls else sock) as wire,
    ):
        for _ in range(2):
            assert asks(wire).body == b"hello"
        assert {seen.one("X-Forwarded-For") for seen in member.requests} == {b"127.0.0.7"}
        daemon.assert_clean()
        assert "PROXY protocol" not in daemon.log


@BOTH_KINDS
def test_strangers_say_nothing(tmp_path: Path, member: Member) -> None:
    """Who is not among trusted_proxies is closed before it is listened to, and logged once."""
    ini = configuration(
        [member.url], listen="127.0.0.1:0 proxy", trusted_proxies="192.0.2.0/24, 127.0.0.2/32"
    )
    with Daemon(tmp_path, ini) as daemon:
        for _ in range(3):
            with visitor(daemon.port()) as wire, contextlib.suppress(OSError):
                wire.send(b"PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\n" + request())
                assert wire.until_end() == b""
        daemon.wait_for_log("127.0.0.1 can't bring visitors by the PROXY protocol")
        assert daemon.log.count("can't bring visitors") == 1
        source = ("127.0.0.2", 0)
        with socket.create_connection(("127.0.0.1", daemon.port()), PATIENCE, source) as sock:
            wire = Wire(sock)
            wire.send(b"PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\n")
            assert asks(wire).body == b"hello"
    (seen,) = member.requests
    assert seen.one("X-Forwarded-For") == b"192.0.2.1"


# --- no place -----------------------------------------------------------------------------


def test_over_max_connections(tmp_path: Path, member: Member) -> None:
    """A client that sends first and reads then learns why nobody serves it."""
    ini = configuration([member.url], max_connections=1)
    with Daemon(tmp_path, ini) as daemon:
        port = daemon.port()
        with visitor(port) as wire:
            assert asks(wire).body == b"hello"
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            with contextlib.closing(client):
                client.request("POST", "/", body=b"x" * 20_000_000)
                answer = client.getresponse()
                assert (answer.status, answer.getheader("Retry-After")) == (503, "1")
                assert b"too many connections" in answer.read()
        daemon.wait_for_log("site shop is full .max_connections = 1.: visitors are turned away")

        def served() -> bool:
            with visitor(port) as wire:
                return asks(wire).status == 200

        until(served, "a place")


# --- to https -----------------------------------------------------------------------------


def test_redirect_https(tmp_path: Path, member: Member) -> None:
    """A plain listener sends all to https, and serves nothing else; the TLS one serves."""
    ini = configuration(
        [member.url],
        listen="127.0.0.1:0, 127.0.0.1:0 tls",
        certificate="self-signed",
        redirect_https="yes",
    )
    with Daemon(tmp_path, ini) as daemon:
        with visitor(daemon.port()) as wire:
            for method, body in ((b"GET", None), (b"HEAD", None), (b"POST", b"a=b")):
                wire.send(request(b"//x/%2f?q=\xc3\xbc", method=method, body=body))
                answer = wire.answer(method)
                assert answer.status == 308
                assert answer.one("Location") == b"https://shop.example//x/%2f?q=%C3%BC"
            wire.send(b"GET / HTTP/1.0\r\n\r\n")
            assert wire.answer().status == 400
        assert not member.requests
        with visitor(daemon.port(scheme="https"), anybody()) as wire:
            assert asks(wire).body == b"hello"
