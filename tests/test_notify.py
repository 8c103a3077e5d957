"""What a supervisor is told, and that it is no harm when it can't be."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.end_to_end.supervisor import Notices

from sorryd.edge.listener import Bound, bind
from sorryd.inherited import OURS
from sorryd.model import Listen
from sorryd.notify import Notify, notify_of
from sorryd.socket_store import SocketStore, store_name

PID = os.getpid()


@pytest.fixture
def notices(tmp_path: Path) -> Iterator[Notices]:
    with Notices(tmp_path) as one:
        yield one


@pytest.fixture
def notify(notices: Notices) -> Notify:
    return Notify(notices.address, pid=PID)


# --- the variables -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "is_heard", "watchdog"),
    [
        ({}, False, 0.0),
        ({"NOTIFY_SOCKET": "/run/notify"}, True, 0.0),
        ({"NOTIFY_SOCKET": "@notify"}, True, 0.0),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, False, 0.0),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "3000000"}, True, 3.0),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, True, 3.0),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, True, 0.0),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"}, True, 0.0),
        ({"WATCHDOG_USEC": "3000000"}, False, 0.0),
    ],
)
def test_variables(environ: dict[str, str], is_heard: bool, watchdog: float) -> None:
    """They are heeded where they are for this process, and no program of ours sees them."""
    environ["HOME"] = "/"
    notify = notify_of(environ, 7)
    assert (notify.is_heard, notify.watchdog) == (is_heard, watchdog)
    assert environ == {"HOME": "/"}


# --- what is told ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tell", "fields"),
    [
        (lambda notify: notify.ready("shop live"), {"READY": "1", "STATUS": "shop live"}),
        (lambda notify: notify.ready("a\nREADY=0"), {"READY": "1", "STATUS": "a READY=0"}),
        (lambda notify: notify.stopping(45.5),
         {"STOPPING": "1", "EXTEND_TIMEOUT_USEC": "45500000"}),
        (lambda notify: notify.status("shop down"), {"STATUS": "shop down"}),
        (lambda notify: notify.alive(), {"WATCHDOG": "1"}),
        (lambda notify: notify.forget("a"), {"FDSTOREREMOVE": "1", "FDNAME": "a"}),
    ],
    ids=["ready", "one line", "stopping", "status", "alive", "forget"],
)  # fmt: skip
def test_what_is_told(
    notify: Notify, notices: Notices, tell: Callable[[Notify], None], fields: dict[str, str]
) -> None:
    """One datagram, in the words of sd_notify(3)."""
    tell(notify)
    assert notices.wait_for(next(iter(fields))).fields == fields


def test_reloading_tells_when(notify: Notify, notices: Notices) -> None:
    """By the clock that systemd compares it with."""
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    notify.reloading()
    told = int(notices.wait_for("RELOADING=1").fields["MONOTONIC_USEC"]) / 1e6
    assert before - 1e-3 <= told <= time.clock_gettime(time.CLOCK_MONOTONIC)


def test_a_process_that_has_forked_says_who_it_is(notices: Notices) -> None:
    """MAINPID, where it is not the one that was started."""
    Notify(notices.address, pid=PID + 1).ready("shop live")
    assert notices.wait_for("READY=1").fields["MAINPID"] == str(PID)


def test_a_status_is_told_once(notify: Notify, notices: Notices) -> None:
    """While it stays the same, nothing is said."""
    notify.ready("shop live")
    notify.status("shop live")
    notify.status("shop down")
    notify.status("shop down")
    notify.alive()
    notices.wait_for("WATCHDOG=1")
    assert [one.fields.get("STATUS") for one in notices.heard()] == ["shop live", "shop down", None]


def test_an_abstract_socket() -> None:
    """An address that begins with @ is no file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")  # the kernel chooses an abstract name (unix(7))
        Notify("@" + sock.getsockname()[1:].decode()).alive()
        assert sock.recv(100) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/missing/notify", "@nobody-there", "/" + "x" * 200])
def test_nobody_is_there(address: str) -> None:
    """Then nothing happens."""
    notify = Notify(address, 3.0)
    notify.ready("shop live")
    notify.status("shop down")
    notify.alive()


def test_a_supervisor_that_is_stuck(tmp_path: Path) -> None:
    """Who does not read is not waited for, but for what it must know, and for that not long."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "stuck"))
        notify = Notify(str(tmp_path / "stuck"), pid=PID)
        for _ in range(10_000):
            notify.alive()  # more than fit
        before = time.monotonic()
        notify.status("shop down")
        assert time.monotonic() - before < 0.5
        notify.forget("a")
        assert time.monotonic() - before < 10.0


# --- the store ---------------------------------------------------------------------------------


def bound(key: int, *, given: bool = False) -> Bound:
    """A socket at a port of its own."""
    sock = bind(Listen(host="127.0.0.1", port=0))
    listen = Listen(host="127.0.0.1", port=sock.getsockname()[1])
    return Bound(listen, ("shop",), sock, given, key)


def test_the_store(notify: Notify, notices: Notices, tmp_path: Path) -> None:
    """It gets each socket of ours with an address of its own once, and not when it is gone."""
    first, second, theirs = bound(1), bound(2), bound(3, given=True)
    unix = Listen(host="", port=0, path=str(tmp_path / "shop.sock"))
    others = [theirs, Bound(unix, ("shop",), bind(unix), key=4)]
    store = SocketStore(notify)
    store.keep([first, *others])
    store.keep([first, second, *others])
    names = [f"{OURS}127.0.0.1-{one.listen.port}" for one in (first, second)]
    for name, one in zip(names, (first, second), strict=True):
        (fd,) = notices.wait_for("FDSTORE=1", f"FDNAME={name}").descriptors
        assert os.fstat(fd).st_ino == os.fstat(one.sock.fileno()).st_ino
    for one in (first, *others):
        store.drop(one)
    notices.wait_for("FDSTOREREMOVE=1", f"FDNAME={names[0]}")
    assert len(notices.heard()) == 3
    with pytest.raises(ConnectionRefusedError):  # though it is held still, by who was told
        socket.create_connection((first.listen.host, first.listen.port))
    for one in (first, second, *others):
        one.sock.close()


def test_names_of_the_store(notify: Notify) -> None:
    """No colon is in them (FDNAME= in sd_notify(3)), and no two addresses have the same."""
    hosts = ["::", "::1", "1::", "0.0.0.0", "1.0.0.0", "fe80::1:1", "fe80:1::1"]
    names = {store_name(Listen(host=host, port=80)) for host in hosts}
    assert len(names) == len(hosts)
    assert not any(":" in name for name in names)


def test_no_supervisor_no_store() -> None:
    """Without one, nothing is done with the sockets."""
    one = bound(1)
    store = SocketStore(Notify())
    store.keep([one])
    store.drop(one)
    with socket.create_connection((one.listen.host, one.listen.port)):
        one.sock.close()
