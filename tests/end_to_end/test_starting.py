"""Starts that are refused, and --check: what is wrong is said in a line, and nothing is harmed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import BOTH, NOBODY, Daemon, configuration
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import IPV6, ask


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
        pytest.param("127.0.0.1:0", "[2001:db8::1]:80", "[2001:db8::1]:80: ", marks=IPV6),
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


def test_check_finds_nothing(tmp_path: Path) -> None:
    """--check says that the file is ok, listens nowhere, and leaves nothing behind."""
    daemon = Daemon(tmp_path, configuration([NOBODY]))
    done = run(daemon, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{daemon.config}: ok\n"
    assert [path.name for path in tmp_path.iterdir()] == ["sorryd.ini"]


@pytest.mark.parametrize(
    ("foreground", "option"),
    [
        pytest.param(True, "--check", id="--check"),
        pytest.param(True, "", id="-n"),
        pytest.param(False, "", id="daemonised"),
    ],
)
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
