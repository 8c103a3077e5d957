"""Socket activation: listening at sockets that a supervisor opened (sd_listen_fds(3))."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.daemon import BOTH, Daemon, configuration
from tests.end_to_end.members import Member, saying
from tests.end_to_end.supervisor import Supervised
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import IPV6, Wire, ask, request, visitor


@pytest.fixture
def opened() -> Iterator[socket.socket]:
    """A socket of the supervisor."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


@BOTH
def test_by_name(tmp_path: Path, member: Member, opened: socket.socket, foreground: bool) -> None:
    """A site listens at the socket of a name, and the log says where that is."""
    ini = configuration([member.url], listen="systemd:web")
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        Supervised(
            tmp_path, ini, sockets=[("other", other), ("web", opened)], foreground=foreground
        ) as daemon,
    ):
        assert daemon.port() == port_of(opened)
        assert ask(daemon.port()).body == b"hello"


def test_by_address(tmp_path: Path, member: Member, opened: socket.socket) -> None:
    """The socket at the address of `listen` is used: who came before sorryd is served."""
    ini = configuration([member.url], listen=f"127.0.0.1:{port_of(opened)}")
    with visitor(port_of(opened)) as early:
        early.send(request())
        with Supervised(tmp_path, ini, sockets=[("sorryd.socket", opened)]):
            assert early.answer().body == b"hello"


def test_after_a_restart_they_wait(tmp_path: Path, member: Member, opened: socket.socket) -> None:
    """While sorryd is away, even killed, visitors are not refused: they wait for the next one."""
    ini = configuration([member.url], listen=f"127.0.0.1:{port_of(opened)}")
    daemon = Supervised(tmp_path, ini, sockets=[("sorryd.socket", opened)])
    for end in (daemon.stop, daemon.kill):
        daemon.start()
        end()
        with visitor(port_of(opened)) as waits:
            waits.send(request())
            with daemon:
                assert waits.answer().body == b"hello"


@IPV6
def test_one_socket_for_both_families(tmp_path: Path) -> None:
    """As systemd opens one for a port alone: an IPv4 visitor's address is told as IPv4."""
    both = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    with both, Member(saying(b"hello")) as member:
        ini = configuration([member.url], listen="systemd:web", trusted_proxies="127.0.0.1")
        with Supervised(tmp_path, ini, sockets=[("web", both)]):
            assert ask(port_of(both)).body == b"hello"
            assert member.requests[-1].all("X-Forwarded-For") == [b"127.0.0.1"]


# --- reload ----------------------------------------------------------------------------------


def test_a_reload_keeps_and_comes_back(
    tmp_path: Path, member: Member, opened: socket.socket
) -> None:
    """A connection to the socket goes on over a reload; left and listed again, it is there."""
    ini = configuration([member.url], listen="systemd:web")
    elsewhere = configuration([member.url])
    with (
        Supervised(tmp_path, ini, sockets=[("web", opened)]) as daemon,
        visitor(port_of(opened)) as one,
    ):
        for text in (f"{ini}drain = 1s\n", elsewhere, ini):
            daemon.config.write_text(text)
            assert daemon.ctl("reload").returncode == 0
            one.send(request())
            assert one.answer().body == b"hello"
        assert ask(port_of(opened)).body == b"hello"


def test_a_reload_without_the_socket_is_refused(
    tmp_path: Path, member: Member, opened: socket.socket
) -> None:
    """It names those that there are, and nothing changes."""
    ini = configuration([member.url], listen="systemd:web")
    with Supervised(tmp_path, ini, sockets=[("web", opened)]) as daemon:
        daemon.config.write_text(ini.replace("systemd:web", "systemd:wev"))
        done = daemon.ctl("reload")
        assert done.returncode == 1
        assert (
            "nothing was changed: systemd:wev: the supervisor has opened none of that name, but web"
            in done.stderr
        )
        assert ask(port_of(opened)).body == b"hello"


# --- refused, and warned of --------------------------------------------------------------------


def refused(daemon: Supervised) -> str:
    """Why a daemon does not start: exit status 1, and one line."""
    daemon.launch()
    assert daemon.wait() == 1
    daemon.assert_clean()
    (line,) = [line for line in daemon.log.splitlines() if "can't start" in line]
    return line.partition("sorryd can't start: ")[2]


def test_a_name_that_nobody_opened(tmp_path: Path, member: Member) -> None:
    """It is said."""
    daemon = Supervised(tmp_path, configuration([member.url], listen="systemd:web"))
    assert refused(daemon) == "systemd:web: no supervisor has opened a socket for sorryd"


def test_what_is_no_listener(tmp_path: Path, member: Member, opened: socket.socket) -> None:
    """A datagram socket is told with its name and descriptor."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sockets = [("web", opened), ("quic", sock)]
        daemon = Supervised(tmp_path, configuration([member.url]), sockets=sockets)
        assert refused(daemon) == (
            "systemd:quic: descriptor 4 is no stream (it takes ListenStream=)"
        )


def test_nobody_wants_it(tmp_path: Path, member: Member, opened: socket.socket) -> None:
    """A socket without a site is warned of, and hinders nothing."""
    with Supervised(tmp_path, configuration([member.url]), sockets=[("web", opened)]) as daemon:
        daemon.wait_for_log(rf"systemd:web \(127.0.0.1:{port_of(opened)}\) is for no site")
        assert ask(daemon.port()).body == b"hello"


# --- the real one ------------------------------------------------------------------------------

ACTIVATE: Final = shutil.which("systemd-socket-activate") or ""


class Activated(Daemon):
    """A daemon that systemd-socket-activate starts, when the first visitor comes."""

    def __init__(self, folder: Path, ini: str, place: str) -> None:
        super().__init__(folder, ini)
        self._place = place

    def command(self, *options: str) -> list[str]:
        own = super().command(*options)
        return [ACTIVATE, f"--listen={self._place}", "--fdname=web", *own]


@pytest.mark.skipif(not ACTIVATE, reason="systemd-socket-activate is not installed")
@pytest.mark.parametrize("kind", ["port", "path"])
def test_by_systemd_socket_activate(tmp_path: Path, member: Member, kind: str) -> None:
    """Its sockets are listened at; the visitor for whom sorryd was started is served."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{port_of(free)}" if kind == "port" else str(tmp_path / "web.sock")
    daemon = Activated(tmp_path, configuration([member.url], listen="systemd:web"), place)
    daemon.launch()
    try:
        with connected(place) as first:
            first.send(request())
            assert first.answer().body == b"hello"
        daemon.stop()
    finally:
        daemon.kill()
    assert kind == "port" or Path(place).is_socket()


def connected(place: str) -> Wire:
    """A visitor there, as soon as it is open."""

    def connect() -> socket.socket | None:
        sock = socket.socket(socket.AF_UNIX if place.startswith("/") else socket.AF_INET)
        sock.settimeout(PATIENCE)
        host, _, port = place.partition(":")
        try:
            sock.connect((host, int(port)) if port else place)
        except OSError:
            sock.close()
            return None
        return sock

    return Wire(until(connect, "a socket of systemd-socket-activate"))
