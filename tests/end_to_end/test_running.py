"""Starting and stopping: in the foreground and as a daemon, with uvloop and without."""

from __future__ import annotations

import signal
import socket
import stat
import threading
from pathlib import Path

import pytest
from tests.end_to_end.daemon import BOTH, WITHOUT_UVLOOP, Daemon, configuration
from tests.end_to_end.members import Conversation, Member
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import IPV6, answer, anybody, ask, request, visitor
from tests.end_to_end.workers import ALONE, BOTH_KINDS

# --- starting -------------------------------------------------------------------------------


@BOTH_KINDS
@BOTH
def test_it_runs_and_ends_well(tmp_path: Path, member: Member, foreground: bool) -> None:
    """Pidfile, log, socket and journal are where they should be; SIGTERM leaves the journal."""
    with Daemon(tmp_path, configuration([member.url]), foreground=foreground) as daemon:
        assert ask(daemon.port()).body == b"hello"
        assert daemon.ask("status")["pid"] == daemon.pid == int(daemon.pidfile.read_text())
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o660
        assert stat.S_IMODE((tmp_path / "sorryd.db").stat().st_mode) == 0o600
    assert not daemon.pidfile.exists()
    assert not daemon.socket.exists()
    assert (tmp_path / "sorryd.db").exists()


@pytest.mark.parametrize(
    ("launcher", "reactor", "runs", "foreground"),
    [
        pytest.param("", "", "AsyncioSelectorReactor", True, id="uvloop by itself"),
        pytest.param("", "", "AsyncioSelectorReactor", False, id="uvloop daemonised"),
        pytest.param(WITHOUT_UVLOOP, "", "EPollReactor", True, id="no uvloop"),
        pytest.param(WITHOUT_UVLOOP, "", "EPollReactor", False, id="no uvloop daemonised"),
        pytest.param(WITHOUT_UVLOOP, "asyncio", "AsyncioSelectorReactor", True, id="asyncio"),
        pytest.param("", "epoll", "EPollReactor", True, id="epoll"),
    ],
)
def test_any_reactor_will_do(
    tmp_path: Path, member: Member, launcher: str, reactor: str, runs: str, foreground: bool
) -> None:
    """Data path, TLS, control and windows work on each; uvloop is taken where it is there."""
    ini = configuration(
        [member.url], listen="127.0.0.1:0, 127.0.0.1:0 tls", certificate="self-signed"
    )
    with Daemon(tmp_path, ini, launcher=launcher, reactor=reactor, foreground=foreground) as daemon:
        daemon.wait_for_log(f"reactor class: .*{runs}")
        with visitor(daemon.port(scheme="https"), anybody()) as wire:
            for _ in range(3):
                wire.send(request())
                assert wire.answer().body == b"hello"
            daemon.ask("window.schedule", {"from": "now", "for": "0.3s"})
            until(lambda: ask(daemon.port()).status == 503, "the window to open")
            until(lambda: ask(daemon.port()).status == 200, "the window to end")


@IPV6
def test_it_listens_on_ipv6(tmp_path: Path, member: Member) -> None:
    """An IPv6 listener, and the visitor's address as its member learns it."""
    with Daemon(tmp_path, configuration([member.url], listen="[::1]:0")) as daemon:
        with socket.create_connection(("::1", daemon.port()), PATIENCE) as sock:
            sock.sendall(request())
            assert b"hello" in sock.recv(65536)
        (seen,) = member.requests
        assert seen.one("X-Forwarded-For") == b"::1"
        assert (seen.one("Forwarded") or b"").startswith(b'for="[::1]"')


def test_its_log_can_be_rotated(tmp_path: Path, member: Member) -> None:
    """SIGUSR1 is twistd's: the log of a daemon is moved away, and a new one begun."""
    with Daemon(tmp_path, configuration([member.url]), foreground=False) as daemon:
        daemon.port()
        daemon.signal(signal.SIGUSR1)
        old = daemon.log_file.with_name("sorryd.log.1")
        until(old.exists, "the old log")
        assert "sorryd is up" in old.read_text()
        daemon.ask("site.down")
        until(lambda: "site.down" in daemon.log, "the new log")


# --- stopping -------------------------------------------------------------------------------


class SlowMember(Member):
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.release = threading.Event()
        super().__init__(self._answer)

    def _answer(self, conversation: Conversation) -> None:
        while conversation.request() is not None:
            self.release.wait(PATIENCE)
            conversation.send(answer(b"in the end"))

    def close(self) -> None:
        self.release.set()
        super().close()


def is_refused(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    ("number", "foreground"),
    [
        pytest.param(signal.SIGTERM, True, id="SIGTERM"),
        pytest.param(signal.SIGINT, True, id="SIGINT"),
        pytest.param(signal.SIGTERM, False, id="SIGTERM, daemonised"),
    ],
)
def test_requests_in_flight_may_finish(
    tmp_path: Path, foreground: bool, number: signal.Signals
) -> None:
    """Asked to stop, it refuses new connections and ends when its last request has."""
    with SlowMember() as slow:
        daemon = Daemon(tmp_path, configuration([slow.url]), foreground=foreground)
        daemon.start()
        port = daemon.port()
        with visitor(port) as idle, visitor(port) as early, visitor(port) as late:
            early.send(request())
            late.send(request(b"/", b"Content-Length: 8", method=b"POST") + b"half")
            until(lambda: slow.requests, "the request at its member")
            daemon.signal(number)
            until(lambda: is_refused(port), "new connections to be refused")
            assert idle.until_end() == b""
            assert daemon.running
            late.send(b"half")
            slow.release.set()
            for wire in (early, late):
                reply = wire.answer()
                assert (reply.body, reply.one("Connection")) == (b"in the end", b"close")
                assert wire.until_end() == b""
        assert daemon.wait() in (0, None)
        daemon.assert_clean()
        assert not daemon.pidfile.exists()


def test_asked_twice_it_waits_no_longer(tmp_path: Path) -> None:
    """A second SIGTERM cuts what is in flight; that is still no failure."""
    with SlowMember() as slow:
        daemon = Daemon(tmp_path, configuration([slow.url]))
        daemon.start()
        with visitor(daemon.port()) as wire:
            wire.send(request())
            until(lambda: slow.requests, "the request at its member")
            daemon.signal(signal.SIGTERM)
            daemon.wait_for_log("requests in flight may finish")
            assert daemon.running
            daemon.signal(signal.SIGTERM)
            assert wire.answer().status == 503
        assert daemon.wait() == 0
        daemon.assert_clean()


# --- limits -----------------------------------------------------------------------------------


def test_too_many_connections(tmp_path: Path, member: Member) -> None:
    """Over max_connections a visitor is told so at once; it is served when another has left."""
    with Daemon(tmp_path, configuration([member.url], max_connections=3, daemon=ALONE)) as daemon:
        port = daemon.port()
        wires = [visitor(port) for _ in range(3)]
        for wire in wires:
            wire.send(request())
            assert wire.answer().status == 200
        with visitor(port) as wire:
            reply = wire.answer()
            assert (reply.status, reply.one("Retry-After")) == (503, b"1")
        wires.pop().close()
        until(lambda: ask(port).status == 200, "room for another")
        for wire in wires:
            wire.send(request())
            assert wire.answer().status == 200
            wire.close()


def test_no_descriptor_is_left(tmp_path: Path, member: Member) -> None:
    """Out of descriptors it goes on with those it has, says so, and accepts again later."""
    few = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))"
    with Daemon(tmp_path, configuration([member.url]), launcher=few) as daemon:
        port = daemon.port()
        assert ask(port).status == 200
        wires = [visitor(port) for _ in range(48)]
        daemon.wait_for_log("can't accept: the limit of descriptors")
        accepted = wires[:5]
        for wire in accepted:
            wire.send(request())
        assert [wire.answer().status for wire in accepted] == 5 * [200]
        assert daemon.ctl("status").returncode == 0
        for wire in wires:
            wire.close()
        until(lambda: ask(port).status == 200, "a visitor to be served again")
        assert 1 <= daemon.log.count("can't accept") <= daemon.edges
        assert "failed" not in daemon.log
