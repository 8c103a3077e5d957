"""What a reload does to addresses, to sites that go, and to the access log."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.daemon import BOTH, Daemon, configuration, section
from tests.end_to_end.load import Pages, asking, check_page, is_over
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Wire, anybody, ask, one, request, visitor
from tests.end_to_end.workers import BOTH_KINDS


@pytest.fixture
def hello() -> Iterator[Member]:
    """Says hello."""
    with Member(saying(b"hello")) as running:
        yield running


@pytest.fixture
def wiki() -> Iterator[Member]:
    """Says wiki."""
    with Member(saying(b"wiki")) as running:
        yield running


def free_port() -> int:
    """A port that nobody has, for now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


def reload(daemon: Daemon, ini: str) -> Any:
    """Reload to `ini`; what has changed."""
    daemon.config.write_text(ini)
    return daemon.ask("daemon.reload")


def unix_visitor(path: Path) -> Wire:
    """A visitor at a UNIX socket."""
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE)
    sock.connect(str(path))
    return Wire(sock)


@BOTH_KINDS
def test_a_site_goes_and_comes(tmp_path: Path, hello: Member) -> None:
    """Its requests in flight are answered, who rests is let go; it may be back at once."""
    with Pages() as pages, Daemon(tmp_path, configuration([hello.url])) as daemon:
        shop, port = configuration([hello.url]), free_port()
        both = shop + section("wiki", [pages.url], listen=f"127.0.0.1:{port}")
        assert reload(daemon, both)["added"] == ["wiki"]
        with visitor(port) as resting, visitor(port) as busy:
            check_page(asking(resting, b"/1"), "/1")
            busy.send(request(b"/half/2"))
            pages.wait_for("/half/2")
            assert reload(daemon, shop)["removed"] == ["wiki"]
            assert is_over(resting)
            with pytest.raises(ConnectionRefusedError):
                visitor(port)
            assert reload(daemon, both)["added"] == ["wiki"]
            check_page(ask(port, b"/3"), "/3")
            pages.release("/half/2")
            check_page(busy.answer(), "/half/2")


def test_an_address_changes_its_site(tmp_path: Path, hello: Member, wiki: Member) -> None:
    """It is never closed for that: who comes is served by the one or by the other."""
    port = free_port()

    def ini(first: str, second: str) -> str:
        return configuration([hello.url], listen=first) + section("wiki", [wiki.url], listen=second)

    here, there = f"127.0.0.1:{port}", "127.0.0.1:0"
    with Daemon(tmp_path, ini(here, there)) as daemon:
        assert ask(port).body == b"hello"
        assert reload(daemon, ini(there, here))["changed"] == ["shop", "wiki"]
        assert ask(port).body == b"wiki"


def test_a_plain_address_becomes_one_for_tls(tmp_path: Path, hello: Member) -> None:
    """The socket is kept, and so are the connections that came by it; new ones speak TLS."""
    port = free_port()
    plain = configuration([hello.url], listen=f"127.0.0.1:{port}")
    with Daemon(tmp_path, plain) as daemon, visitor(port) as before:
        assert one(before) == b"hello"
        reload(
            daemon,
            configuration([hello.url], listen=f"127.0.0.1:{port} tls", certificate="self-signed"),
        )
        with visitor(port, anybody()) as wire:
            assert one(wire) == b"hello"
        assert one(before) == b"hello"
        reload(daemon, plain)
        with visitor(port) as wire:
            assert one(wire) == b"hello"


def test_unix_sockets(tmp_path: Path, hello: Member) -> None:
    """Their files come and go with them, and stay where only what is said of them changes."""
    first, second = tmp_path / "first.sock", tmp_path / "second.sock"
    tls = "unix:first.sock tls"
    with Daemon(tmp_path, configuration([hello.url], listen=f"unix:{first}")) as daemon:
        with unix_visitor(first) as wire:
            assert one(wire) == b"hello"
            reload(daemon, configuration([hello.url], listen=tls, certificate="self-signed"))
            assert one(wire) == b"hello"
        assert first.is_socket()
        reload(daemon, configuration([hello.url], listen="unix:second.sock"))
        assert not first.exists()
        with unix_visitor(second) as wire:
            assert one(wire) == b"hello"
    assert not second.exists()


def test_nothing_is_left_over(tmp_path: Path, hello: Member) -> None:
    """Listeners, sites and contexts that come and go leave no descriptor behind."""
    shop = configuration([hello.url])
    more = configuration(
        [hello.url], listen="127.0.0.1:0 tls, unix:shop.sock", certificate="self-signed",
        daemon="access_log = access.log",
    ) + section("wiki", [hello.url], listen="127.0.0.1:0")  # fmt: skip
    with Daemon(tmp_path, shop) as daemon:
        reload(daemon, more)
        reload(daemon, shop)
        before = daemon.descriptors()
        for _ in range(10):
            reload(daemon, more)
            reload(daemon, shop)
        until(lambda: daemon.descriptors() <= before, "the descriptors to be closed")


@BOTH
def test_the_access_log(tmp_path: Path, hello: Member, foreground: bool) -> None:
    """It is switched on, moved and switched off by a reload, and reopened by SIGUSR1.

    twistd has that signal for its own log, where it has one: that is rotated as well.
    """

    def ini(path: str) -> str:
        return configuration([hello.url], daemon=f"access_log = {path}")

    def lines(name: str) -> int:
        path = tmp_path / name
        return len(path.read_text().splitlines()) if path.exists() else 0

    with Daemon(tmp_path, ini(""), foreground=foreground) as daemon:
        port = daemon.port()
        ask(port)
        assert reload(daemon, ini("a.log"))["settings"] == ["access_log"]
        with visitor(port) as wire:
            one(wire)
            reload(daemon, ini("b.log"))
            one(wire)
            until(lambda: (lines("a.log"), lines("b.log")) == (1, 1), "a line in each")
            (tmp_path / "b.log").rename(tmp_path / "b.log.1")
            daemon.signal(signal.SIGUSR1)
            until(lambda: (tmp_path / "b.log").exists(), "the new log")
            assert foreground or daemon.log_file.with_name("sorryd.log.1").exists()
            one(wire)
            until(lambda: lines("b.log") == 1, "a line in the new log")
            reload(daemon, ini(""))
            one(wire)
    assert [lines(name) for name in ("a.log", "b.log", "b.log.1")] == [1, 1, 1]


def test_an_access_log_that_can_not_be(tmp_path: Path, hello: Member) -> None:
    """It refuses the reload, in one line; nothing is bound then."""
    with Daemon(tmp_path, configuration([hello.url])) as daemon:
        wanted = free_port()
        (tmp_path / "loop.log").symlink_to("loop.log")
        daemon.config.write_text(
            configuration(
                [hello.url],
                listen=f"127.0.0.1:{wanted}",
                daemon="access_log = loop.log",
            )
        )
        done = daemon.ctl("reload")
        assert done.returncode == 1
        assert f"sorryctl: nothing was changed: {tmp_path / 'loop.log'}: " in done.stderr
        with pytest.raises(ConnectionRefusedError):
            visitor(wanted)
