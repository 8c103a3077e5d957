"""Starting and stopping: in the foreground and as a daemon, with uvloop and without."""

from __future__ import annotations

import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import WITHOUT_UVLOOP, Daemon, configuration
from tests.end_to_end.members import Conversation, Member, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import answer, anybody, ask, request, visitor

BOTH = pytest.mark.parametrize(
    "foreground", [pytest.param(True, id="-n"), pytest.param(False, id="daemonised")]
)
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def member() -> Iterator[Member]:
    """A member that says hello."""
    with Member(saying(b"hello")) as one:
        yield one


# --- starting -------------------------------------------------------------------------------


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
        pytest.param("", "poll", "PollReactor", True, id="poll"),
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


def test_it_listens_on_ipv6(tmp_path: Path, member: Member) -> None:
    """An IPv6 listener, and the visitor's address as its member learns it."""
    with Daemon(tmp_path, configuration([member.url], listen="[::1]:0")) as daemon:
        with socket.create_connection(("::1", daemon.port()), PATIENCE) as sock:
            sock.sendall(request())
            assert b"hello" in sock.recv(65536)
        (seen,) = member.requests
        assert seen.one("X-Forwarded-For") == b"::1"
        assert (seen.one("Forwarded") or b"").startswith(b'for="[::1]"')


# --- refusing to start ------------------------------------------------------------------------


def refused(daemon: Daemon) -> str:
    """How a daemon that should not start says so: exit status 1, and its one line."""
    done = subprocess.run(
        daemon.command(), capture_output=True, text=True, timeout=PATIENCE, cwd=daemon.folder
    )
    assert done.returncode == 1
    said = daemon.log or done.stdout
    assert "Traceback" not in said + done.stderr
    (line,) = [line for line in said.splitlines() if "can't start" in line]
    until(lambda: not daemon.pidfile.exists(), "the pidfile to be removed")
    return line


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The daemon that was there first."""
    with Member(saying(b"first")) as one:
        ini = configuration([one.url])
        with Daemon(tmp_path_factory.mktemp("first"), ini) as daemon:
            yield daemon


@BOTH
@pytest.mark.parametrize(
    ("same", "why"),
    [
        pytest.param("socket", "another daemon answers there", id="control socket"),
        pytest.param("journal", "is in use by another sorryd (pid {pid})", id="journal"),
        pytest.param("port", "127.0.0.1:{port}: address already in use", id="port"),
    ],
)
def test_a_second_daemon_is_refused(
    tmp_path: Path, first: Daemon, foreground: bool, same: str, why: str
) -> None:
    """In one line that says what is taken; the first one does not notice."""
    port = first.port()
    ini = configuration([NOBODY], listen=f"127.0.0.1:{port if same == 'port' else 0}")
    if same == "socket":
        ini = ini.replace("control.sock", str(first.socket))
    elif same == "journal":
        ini = ini.replace("sorryd.db", str(first.folder / "sorryd.db"))
    second = Daemon(tmp_path, ini, foreground=foreground)
    assert why.format(pid=first.pid, port=port) in refused(second)
    assert ask(port).body == b"first"
    assert first.ask("status")["pid"] == first.pid


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("127.0.0.1:0", "192.0.2.1:80", "192.0.2.1:80: cannot assign requested address"),
        ("127.0.0.1:0", "[2001:db8::1]:80", "[2001:db8::1]:80: cannot assign"),
        ("control.sock", "sorryd.ini/control.sock", "control socket "),
        ("sorryd.db", "sorryd.ini/sorryd.db", "sorryd.db"),
    ],
    ids=["IPv4 address", "IPv6 address", "socket", "journal"],
)
def test_what_can_not_be_had_is_named(tmp_path: Path, before: str, after: str, why: str) -> None:
    """An address or a folder that is not there: one line, no traceback."""
    ini = configuration([NOBODY]).replace(before, after)
    assert why in refused(Daemon(tmp_path, ini))


def test_what_a_crash_left_behind_is_no_hindrance(tmp_path: Path, member: Member) -> None:
    """After kill -9, socket file, pidfile and lock are taken over."""
    daemon = Daemon(tmp_path, configuration([member.url]))
    daemon.start()
    daemon.kill()
    assert daemon.socket.exists()
    assert daemon.pidfile.exists()
    with daemon:
        assert ask(daemon.port()).body == b"hello"
        assert daemon.ctl("is-down").returncode == 1


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param("control.sock", b"mine", "something that is no socket", id="socket"),
        pytest.param("sorryd.db", b"SQLite, I am not" * 100, "sorryd.db", id="journal"),
    ],
)
def test_a_file_of_somebody_else_is_left_alone(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    """What sorryd can't use in the place of its own files it does not touch."""
    (tmp_path / name).write_bytes(content)
    assert why in refused(Daemon(tmp_path, configuration([NOBODY])))
    assert (tmp_path / name).read_bytes() == content


# --- the configuration ------------------------------------------------------------------------

FAULTY = """[sorryd]
control = control.sock
colour = blue
[site shop]
listen = 127.0.0.1:http
"""
FAULTS = [
    "{file}:3: [sorryd] colour: unknown key",
    "{file}:5: [site shop] listen: ",
    "{file}:4: [site shop] members: is missing",
]


def run(daemon: Daemon, *options: str) -> subprocess.CompletedProcess[str]:
    """Run its command to its end."""
    return subprocess.run(
        daemon.command(*options), capture_output=True, text=True, timeout=PATIENCE,
        cwd=daemon.folder,
    )  # fmt: skip


@BOTH
def test_check_finds_nothing(tmp_path: Path, foreground: bool) -> None:
    """--check says that the file is ok, listens nowhere, and leaves nothing behind."""
    daemon = Daemon(tmp_path, configuration([NOBODY]), foreground=foreground)
    done = run(daemon, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{daemon.config}: ok\n"
    assert [path.name for path in tmp_path.iterdir()] == ["sorryd.ini"]


@BOTH
@pytest.mark.parametrize("option", ["--check", ""])
def test_every_fault_is_said_at_once(tmp_path: Path, foreground: bool, option: str) -> None:
    """With their lines, and exit status 1; without --check on stderr. Nothing is left behind."""
    daemon = Daemon(tmp_path, FAULTY, foreground=foreground)
    done = run(daemon, *([option] if option else []))
    assert done.returncode == 1
    said, silent = (done.stdout, done.stderr) if option else (done.stderr, done.stdout)
    assert silent == ""
    assert len(said.splitlines()) == len(FAULTS)
    for fault in FAULTS:
        assert fault.format(file=daemon.config) in said
    assert [path.name for path in tmp_path.iterdir()] == ["sorryd.ini"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named; no configuration at all is wrong usage."""
    daemon = Daemon(tmp_path, "")
    daemon.config.unlink()
    done = run(daemon, "--check")
    assert done.returncode == 1
    assert str(daemon.config) in done.stdout
    command = [part for part in daemon.command() if not part.startswith("--config")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=tmp_path)
    assert done.returncode == 1
    assert "--config FILE is missing" in done.stdout + done.stderr


def test_check_beside_a_running_daemon(tmp_path: Path, member: Member) -> None:
    """A new file can be checked while the daemon runs with the old one."""
    with Daemon(tmp_path, configuration([member.url])) as daemon:
        command = [part for part in daemon.command("--check") if "pidfile" not in part]
        daemon.config.write_text(FAULTY)
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, len(done.stdout.splitlines())) == (1, 3)
        assert ask(daemon.port()).body == b"hello"


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
    with Daemon(tmp_path, configuration([member.url], max_connections=3)) as daemon:
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
        with visitor(port) as first:
            first.send(request())
            assert first.answer().status == 200
            wires = [visitor(port) for _ in range(48)]
            daemon.wait_for_log("can't accept: Too many open files")
            first.send(request())
            assert first.answer().status == 200
            for wire in wires:
                wire.close()
        until(lambda: ask(port).status == 200, "a visitor to be served again")
