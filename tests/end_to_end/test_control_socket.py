"""Strangers and junk on the control socket of a real daemon."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.control import Control, ControlRefused
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Load, Pages

NOBODY = 65534
DEAD = "http://127.0.0.1:9"


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Be another user, as far as the kernel tells who connects."""
    groups, gid = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


@contextlib.contextmanager
def reachable(mode: str) -> Iterator[Daemon]:
    """A daemon with that mode of its control socket, in a folder that is open to all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        ini = configuration([DEAD], daemon=f"control_mode = {mode}")
        with Daemon(folder, ini) as one:
            yield one


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_others_may_read_and_not_change() -> None:
    """Whoever may connect may read; changing is refused to others, and changes nothing."""
    with reachable("0666") as daemon, contextlib.ExitStack() as on:
        with as_nobody():
            connection = on.enter_context(daemon.control())
        assert connection.ask("status")["sites"][0]["phase"] == "live"
        for method, params in (
            ("site.down", {}),
            ("site.up", {}),
            ("window.schedule", {"from": "now", "for": "1h"}),
            ("window.cancel", {"id": "w"}),
            ("member.set", {"url": DEAD, "weight": 0}),
        ):
            with pytest.raises(ControlRefused, match="may not change anything") as refused:
                connection.ask(method, params)
            assert refused.value.code == -32002
        assert connection.ask("history.list") == {"entries": [], "more": False}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_the_mode_of_the_socket_keeps_others_away() -> None:
    """Whoever is not given the socket by its mode may not connect."""
    with reachable("0660") as daemon:
        assert daemon.socket.stat().st_mode & 0o777 == 0o660
        with as_nobody(), pytest.raises(PermissionError):
            Control(daemon.socket)


JUNK = [
    b"\x00\xff\xfe\n" * 100,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"[" * 200_000 + b"\n",
    b'{"jsonrpc":"2.0","id":1,"method":"status","params":' + b'{"a":' * 50_000 + b"\n",
    b"x" * 1_100_000 + b"\n",
    b'[]\n{}\n1\n""\nnull\n',
    b'{"jsonrpc":"2.0","id":1,"method":"window.schedule","params":{"from":1e308}}\n',
    b'{"jsonrpc":"2.0","id":{},"method":"site.down"}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"site.down","params":{"site":"\\ud800"}}\n',
    b'{"jsonrpc":"2.0","id":1,"method":"site.down"',  # and never its end
]


def answers_to(daemon: Daemon, junk: bytes) -> Iterator[dict[str, Any]]:
    """What the control socket answers before it is closed."""
    with daemon.control() as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.socket.sendall(junk)
            connection.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while answer := connection.receive():
                yield answer


def test_junk_on_the_control_socket_hurts_nobody(tmp_path: Path) -> None:
    """Whatever comes on the control socket gets an error object or nothing; visitors, other
    clients and the state of the site do not notice."""
    with (
        Pages() as member,
        Daemon(tmp_path, configuration([member.url])) as daemon,
        Load(daemon.port()) as load,
        contextlib.ExitStack() as open_ones,
    ):
        load.wait_for(20)
        for junk in JUNK:
            for answer in answers_to(daemon, junk):
                assert answer["error"]["code"] < 0, (junk[:80], answer)
            assert daemon.ask("status")["sites"][0]["phase"] == "live"
        for number in range(120):  # more than it keeps, none of which says anything
            open_ones.enter_context(daemon.control())
            if number % 20 == 0:
                daemon.ask("daemon.version")  # its backlog is empty again
        deaf = open_ones.enter_context(daemon.control())  # asks, and never reads
        deaf.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                deaf.socket.send(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n' * 1000)
        load.wait_for(50)
        assert daemon.ask("status")["sites"][0]["phase"] == "live"
        assert daemon.ask("history.list") == {"entries": [], "more": False}
    assert load.faults == []
    assert all(answer.is_page for answer in load.answers)
