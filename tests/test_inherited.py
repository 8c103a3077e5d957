"""Sockets that a supervisor hands over: what is taken, what is refused, and what stays open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.control.world import site
from twisted.logger import capturedLogs, formatEvent

from sorryd.edge.listener import ListenFault
from sorryd.inherited import OURS, Given, Inherited, given_descriptors
from sorryd.model import Listen, Site
from sorryd.sockets import Sockets


def listening(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    """A socket as a supervisor opens one, at an address of its own."""
    sock = socket.socket(family)
    sock.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    sock.listen(1)
    return sock


def given(name: str, sock: socket.socket) -> Given:
    """The socket, handed over."""
    return Given(name, sock.detach())


def address_of(sock: socket.socket) -> Listen:
    """Its address, as a site has it."""
    host, port = sock.getsockname()[:2]
    return Listen(host=host, port=port)


def at(name: str, *listen: Listen) -> Site:
    """A site that listens there."""
    return site(name, listen=listen)


@pytest.fixture
def inherit() -> Iterator[Callable[..., Inherited]]:
    """Hands sockets over, and closes them at the end."""
    made: list[Inherited] = []

    def hand_over(*those: Given) -> Inherited:
        made.append(Inherited(those))
        made[-1].open()
        return made[-1]

    yield hand_over
    for one in made:
        one.close()


TAKEN = """
import os, sys
from sorryd.inherited import given_descriptors, restore_variables
if "LISTEN_PID" not in os.environ:  # they are for a process that is there before they are
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
    os.execv(sys.executable, sys.orig_argv)
import twisted.internet.endpoints
assert "LISTEN_PID" not in os.environ
restore_variables(os.environ)
print(*given_descriptors(os.environ, os.getpid()), *(key for key in os.environ if "LISTEN" in key))
"""


def test_what_twisted_takes_is_put_back() -> None:
    """Whatever imports its endpoints first: they take the variables of the supervisor away."""
    done = subprocess.run([sys.executable, "-c", TAKEN], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("Given(name='web', fd=3)\n", "")


# --- the variables ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}, [("a", 3), ("b", 4)]),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a"}, [("a", 3), ("unknown", 4)]),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a:b"}, [("a", 3)]),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "1"}, [("unknown", 3)]),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "0"}, []),
        ({"LISTEN_PID": "8", "LISTEN_FDS": "1"}, []),
        ({"LISTEN_FDS": "1"}, []),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "-1"}, []),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "x"}, []),
        ({"LISTEN_PID": "7", "LISTEN_FDS": "9" * 5000}, []),
        ({"LISTEN_PID": "7"}, []),
        ({}, []),
    ],
)
def test_variables(environ: dict[str, str], expected: list[tuple[str, int]]) -> None:
    """What is meant for this process is found with its name, and no program of ours sees it."""
    environ["HOME"] = "/"
    kept = {fd: os.get_inheritable(fd) for fd in (3, 4) if os.path.exists(f"/proc/self/fd/{fd}")}
    try:
        assert list(given_descriptors(environ, 7)) == expected
        assert environ == {"HOME": "/"}
    finally:
        for fd, before in kept.items():
            os.set_inheritable(fd, before)


# --- what they are ---------------------------------------------------------------------------


def unbound() -> int:
    return socket.socket().detach()


def datagram() -> int:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock.detach()


def file() -> int:
    return os.open(os.devnull, os.O_RDONLY)


@pytest.mark.parametrize(
    ("opened", "why"),
    [
        (file, "is no socket"),
        (datagram, "is no stream"),
        (unbound, "is a connection, or does not listen"),
        (lambda: 1_000_000, "is no socket"),
    ],
    ids=["file", "datagram", "not listening", "closed"],
)
def test_what_is_not_to_listen_at_is_refused(opened: Callable[[], int], why: str) -> None:
    """With its name and its descriptor."""
    fd = opened()
    with pytest.raises(ListenFault, match=rf"systemd:web: descriptor {fd} {why}"):
        Inherited([Given("web", fd)]).open()
    if why == "is no socket" and fd < 1_000_000:
        os.close(fd)


# --- what is taken ---------------------------------------------------------------------------


def test_by_name(inherit: Callable[..., Inherited]) -> None:
    """All sockets of a name, for all sites that have it; what is said of it counts."""
    first, second = listening(), listening()
    places = [first.getsockname(), second.getsockname()]
    sockets = Sockets(inherit(given("web", first), given("web", second)))
    web = Listen(host="", port=0, name="web", tls=True)
    bound = sockets.bind([at("shop", web), at("wiki", web)])
    assert [one.sock.getsockname() for one in bound.values()] == places
    assert {(one.listen, one.sites, one.is_given) for one in bound.values()} == {
        (web, ("shop", "wiki"), True)
    }
    sockets.use(bound)
    again = sockets.bind([at("wiki", Listen(host="", port=0, name="web"))])
    assert [one.sock for one in again.values()] == [one.sock for one in bound.values()]
    sockets.use({})
    sockets.drop(bound)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "systemd:web: no supervisor has opened a socket for sorryd"),
        (["b", "a", "b"], "systemd:web: the supervisor has opened none of that name, but a, b"),
        ([f"{OURS}1"], "systemd:web: no supervisor has opened a socket for sorryd"),
    ],
    ids=["none", "others", "kept"],
)
def test_a_name_that_is_not_there(
    inherit: Callable[..., Inherited], names: list[str], why: str
) -> None:
    """It is refused, with those that are there, and nothing else is bound."""
    sockets = Sockets(inherit(*(given(name, listening()) for name in names)))
    with socket.create_server(("127.0.0.1", 0)) as one:
        free = address_of(one)
    with pytest.raises(ListenFault) as refused:
        sockets.bind([at("shop", free, Listen(host="", port=0, name="web"))])
    assert str(refused.value) == why
    with socket.create_server((free.host, free.port)):
        pass


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def test_by_address(inherit: Callable[..., Inherited], family: socket.AddressFamily) -> None:
    """A socket at the very address is taken rather than a new one, which could not be bound."""
    theirs = listening(family)
    address = address_of(theirs)
    sockets = Sockets(inherit(given("sorryd.socket", theirs)))
    (bound,) = sockets.bind([at("shop", address)]).values()
    assert bound.is_given
    assert not bound.sock.getblocking()
    with socket.create_connection((address.host, address.port)):
        bound.sock.setblocking(True)
        bound.sock.accept()[0].close()
    bound.sock.close()


def test_by_path(inherit: Callable[..., Inherited], tmp_path: Path) -> None:
    """A UNIX socket is found by its path, and its file is not ours to remove."""
    path = tmp_path / "shop.sock"
    theirs = socket.socket(socket.AF_UNIX)
    theirs.bind(str(path))
    theirs.listen(1)
    sockets = Sockets(inherit(given("sorryd.socket", theirs)))
    bound = sockets.bind([at("shop", Listen(host="", port=0, path=str(path)))])
    assert [one.is_given for one in bound.values()] == [True]
    sockets.drop(bound)
    assert path.is_socket()


def test_a_reload_may_leave_one_and_come_back(inherit: Callable[..., Inherited]) -> None:
    """A socket of a socket unit stays open where nobody listens at it."""
    theirs = listening()
    address, name = address_of(theirs), Listen(host="", port=0, name="web")
    sockets = Sockets(inherit(given("web", theirs)))
    for listen in (address, name, address):
        bound = sockets.bind([at("shop", listen)])
        assert [address_of(one.sock) for one in bound.values()] == [address]
        sockets.drop(bound)


# --- what is left ----------------------------------------------------------------------------


def test_what_no_site_wants_is_told(inherit: Callable[..., Inherited]) -> None:
    """By its name and its place."""
    wanted, unwanted = listening(), listening()
    address, other = address_of(wanted), address_of(unwanted)
    inherited = inherit(given("a", wanted), given("b", unwanted))
    bound = Sockets(inherited).bind([at("shop", address)])
    with capturedLogs() as events:
        inherited.warn_of_unwanted()
    assert [formatEvent(event) for event in events] == [
        f"systemd:b (127.0.0.1:{other.port}) is for no site: who connects there waits in vain"
    ]
    for one in bound.values():
        one.sock.close()


def test_what_was_kept_is_ours_again(inherit: Callable[..., Inherited]) -> None:
    """A socket from the store is taken by its address, and is ours to close; those that nobody
    wants are ended, also where the store still holds them."""
    wanted, unwanted = listening(), listening()
    address, other = address_of(wanted), address_of(unwanted)
    held = unwanted.dup()
    inherited = inherit(given(f"{OURS}a", wanted), given(f"{OURS}b", unwanted))
    sites = [at("shop", address)]
    assert inherited.evict(listen for one in sites for listen in one.listen) == (f"{OURS}b",)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((other.host, other.port))
    sockets = Sockets(inherited)
    bound = sockets.bind(sites)
    assert [one.is_given for one in bound.values()] == [False]
    sockets.drop(bound)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.host, address.port))
    held.close()
