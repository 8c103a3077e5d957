"""Reloads that are refused: everything wrong is said, and nothing has changed."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.control import ControlRefused
from tests.end_to_end.daemon import BOTH, NOBODY, Daemon, configuration, section
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import ask, one, visitor

FAULTY = """[sorryd]
control = control.sock
colour = blue
[site shop]
listen = 127.0.0.1:http
"""


@pytest.fixture
def member() -> Iterator[Member]:
    with Member(saying(b"hello")) as running:
        yield running


@pytest.fixture
def daemon(tmp_path: Path, member: Member) -> Iterator[Daemon]:
    with Daemon(tmp_path, configuration([member.url])) as running:
        yield running


def in_use() -> socket.socket:
    """A socket that listens at a port of its own."""
    return socket.create_server(("127.0.0.1", 0))


def port_of(sock: socket.socket) -> int:
    port = sock.getsockname()[1]
    assert isinstance(port, int)
    return port


def test_every_fault_is_said(daemon: Daemon) -> None:
    """With its line, on stderr, as --check says it; exit 1. The visitor notices nothing."""
    with visitor(daemon.port()) as wire:
        assert one(wire) == b"hello"
        before = daemon.ask("status")["sites"]
        daemon.config.write_text(FAULTY)
        done = daemon.ctl("reload")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            f"sorryctl: {daemon.config} is refused, and nothing was changed",
            *daemon.ctl("check", str(daemon.config)).stdout.splitlines(),
        ]
        assert len(done.stderr.splitlines()) == 4
        assert daemon.ask("status")["sites"] == before
        assert daemon.ask("history.list")["entries"] == []
        assert one(wire) == b"hello"


def test_the_protocol_has_the_faults(daemon: Daemon) -> None:
    """Each on its own, for programs; of very many, the first ones."""
    daemon.config.write_text("x\n" * 10_000)
    with pytest.raises(ControlRefused) as refused:
        daemon.ask("daemon.reload")
    assert refused.value.code == -32000
    faults = refused.value.data["faults"]
    assert faults[0].startswith(f"{daemon.config}:1: ")
    assert len(faults) == 101
    assert faults[-1] == "... and 9900 more"


@BOTH
def test_sighup_logs_the_faults(tmp_path: Path, member: Member, foreground: bool) -> None:
    """A signal has no answer: the log says what is wrong, and the daemon goes on."""
    with Daemon(tmp_path, configuration([member.url]), foreground=foreground) as daemon:
        port = daemon.port()
        daemon.config.write_text(FAULTY)
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_log("SIGHUP: .* is refused, and nothing was changed")
        daemon.wait_for_log(r"sorryd\.ini:3: \[sorryd\] colour: unknown key")
        assert ask(port).body == b"hello"


def test_a_missing_file(daemon: Daemon) -> None:
    """A file that is not there, or can't be read, is refused too."""
    daemon.config.unlink()
    done = daemon.ctl("reload")
    assert done.returncode == 1
    assert f"{daemon.config}:1: cannot be read: No such file" in done.stderr
    assert ask(daemon.port()).body == b"hello"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("control", "other.sock"),
        ("control_mode", "0600"),
        ("control_group", "daemon"),
        ("state", "other.db"),
    ],
)
def test_what_needs_a_restart(daemon: Daemon, member: Member, key: str, value: str) -> None:
    """A key that only a restart can change refuses the whole reload, with its line."""
    lines = [
        line
        for line in configuration([member.url], drain="1s").split("\n")
        if not line.startswith(f"{key} =")
    ]
    daemon.config.write_text("\n".join([lines[0], f"{key} = {value}", *lines[1:]]))
    done = daemon.ctl("reload")
    assert done.returncode == 1
    fault = f"{daemon.config}:2: [sorryd] {key}: changes only with a restart"
    assert done.stderr.splitlines()[1:] == [fault]
    assert ask(daemon.port()).body == b"hello"


def test_an_address_that_is_taken(daemon: Daemon, member: Member) -> None:
    """One address that can't be had refuses it all; one that could be had is given back."""
    with in_use() as taken, in_use() as free:
        wanted = port_of(free)
        free.close()
        listen = f"127.0.0.1:0, 127.0.0.1:{wanted}, 127.0.0.1:{port_of(taken)}"
        ini = configuration([NOBODY], listen=listen)
        ini += section("wiki", [member.url], listen="127.0.0.1:0")
        daemon.config.write_text(ini)
        assert ask(daemon.port()).body == b"hello"  # whose connection to the member is kept
        open_before = daemon.descriptors()
        done = daemon.ctl("reload")
        assert done.returncode == 1
        assert done.stderr == (
            f"sorryctl: nothing was changed: 127.0.0.1:{port_of(taken)}: address already in use\n"
        )
        with pytest.raises(ConnectionRefusedError):
            visitor(wanted)
    assert [site["name"] for site in daemon.ask("status")["sites"]] == ["shop"]
    assert ask(daemon.port()).body == b"hello"
    rest = daemon.edges - 1  # others may have a connection to the member now
    until(lambda: daemon.descriptors() <= open_before + rest, "the sockets to be closed")
    assert daemon.ctl("reload").returncode == 0
    assert ask(wanted).status == 503


def test_a_certificate_that_vanishes(tmp_path: Path, member: Member) -> None:
    """A folder in which no certificate of our own can be made: refused, the old one is shown."""
    ini = configuration([member.url])
    with Daemon(tmp_path, ini) as daemon:
        (tmp_path / "self-signed-shop.key").mkdir()
        daemon.config.write_text(
            configuration([member.url], listen="127.0.0.1:0 tls", certificate="self-signed")
        )
        done = daemon.ctl("reload")
        assert done.returncode == 1
        assert "sorryctl: nothing was changed: " in done.stderr
        assert "self-signed-shop" in done.stderr
        assert ask(daemon.port()).body == b"hello"
