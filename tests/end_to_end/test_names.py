"""Members by name: looked up by DNS in the background, and followed as their addresses change."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Member, saying
from tests.end_to_end.name_server import NameServer
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import ask, many

NAME = "app.example.test"


def ini(server: NameServer, port: int) -> str:
    return configuration(
        [f"http://{NAME}:{port} retry=0"], daemon=f"nameserver = 127.0.0.1:{server.port}"
    )


def test_addresses_are_followed(tmp_path: Path) -> None:
    """A member that moves is found at its new address, with no request lost, and stays there
    while the name server fails or is silent."""
    with (
        NameServer() as names,
        Member(saying(b"old"), host="127.0.0.1") as old,
        Member(saying(b"new"), host="127.0.0.2", port=old.port) as _,
    ):
        names.records[NAME] = ["127.0.0.1"]
        with Daemon(tmp_path, ini(names, old.port)) as daemon:
            port = daemon.port()
            assert ask(port).body == b"old"
            names.records[NAME] = ["127.0.0.2"]
            until(lambda: ask(port).body == b"new", "the new address")
            assert f"{NAME} is now 127.0.0.2 (was 127.0.0.1)" in daemon.log
            if daemon.edges > 1:  # each looks names up by itself
                until(lambda: many(port, 20) == {b"new": 20}, "the new address at each worker")
            assert many(port, 20) == {b"new": 20}
            del names.records[NAME]
            daemon.wait_for_log("its last addresses are kept")
            assert ask(port).body == b"new"
            names.is_silent = True
            assert ask(port).body == b"new"
        assert "UDP" not in daemon.log
        assert "DNS" not in daemon.log


def test_localhost_needs_no_name_server(tmp_path: Path) -> None:
    """Name servers know nothing of it, and the hosts file is not read where one is named."""
    with (
        NameServer() as names,
        Member(saying(b"here"), host="127.0.0.1") as member,
        Daemon(tmp_path, ini(names, member.port).replace(NAME, "localhost")) as daemon,
    ):
        assert ask(daemon.port()).body == b"here"


def test_several_addresses(tmp_path: Path) -> None:
    """All addresses of a name get connections, and one that refuses costs no request."""
    with (
        NameServer() as names,
        Member(saying(b"1"), host="127.0.0.1") as one,
        Member(saying(b"2"), host="127.0.0.2", port=one.port) as two,
    ):
        names.records[NAME] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        with Daemon(tmp_path, ini(names, one.port)) as daemon:
            port = daemon.port()
            for _ in range(6):
                one.cut()
                two.cut()
                assert ask(port).status == 200
            assert one.requests
            assert two.requests


def test_name_that_comes_later(tmp_path: Path) -> None:
    """A member whose name is unknown at the start is used as soon as it is known."""
    with (
        NameServer() as names,
        Member(saying(b"hello")) as member,
        Daemon(tmp_path, ini(names, member.port)) as daemon,
    ):
        port = daemon.port()
        reply = ask(port)
        assert (reply.status, reply.one("Sorry-Cause")) == (503, b"members")
        assert f"{NAME}: there is no such name" in daemon.log
        names.records[NAME] = ["127.0.0.1"]
        until(lambda: ask(port).status == 200, "the name")
