"""Listening sockets."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.edge.loops import Loop, never
from twisted.logger import capturedLogs

from sorryd.edge.descriptors import TOLD
from sorryd.edge.kernel import Socket
from sorryd.edge.listener import BATCH, REST, Listener, ListenFault, bind, spell
from sorryd.edge.pace import MORE, SPAN, Pace
from sorryd.model import Listen


class Arrivals:
    """Takes what is accepted."""

    def __init__(self) -> None:
        self.socks: list[Socket] = []
        self.addresses: list[str] = []

    def __call__(self, sock: Socket, address: str) -> None:
        self.socks.append(sock)
        self.addresses.append(address)

    def close(self) -> None:
        for sock in self.socks:
            sock.close()


@pytest.fixture
def arrivals() -> Iterator[Arrivals]:
    arrivals = Arrivals()
    yield arrivals
    arrivals.close()


@pytest.mark.parametrize(
    ("host", "port", "spelt"), [("192.0.2.1", 80, "192.0.2.1:80"), ("::1", 8443, "[::1]:8443")]
)
def test_spell(host: str, port: int, spelt: str) -> None:
    """Addresses are spelt as people write them."""
    assert spell(host, port) == spelt


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_accepts(loop: Loop, arrivals: Arrivals, host: str) -> None:
    """Who connects is accepted: its socket does not block, its address has no port."""
    sock = bind(Listen(host=host, port=0))
    listener = Listener(sock, loop.readiness, loop, arrivals)
    with socket.create_connection(sock.getsockname()[:2]):
        loop.rest()
        assert arrivals.addresses == []  # not started yet: it waits
        listener.start()
        loop.until(lambda: arrivals.addresses)
    assert arrivals.addresses == [host]
    assert not arrivals.socks[0].getblocking()
    assert arrivals.socks[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert listener.name == spell(host, sock.getsockname()[1])
    listener.stop()


@pytest.mark.parametrize(("host", "address"), [("::1", "::1"), ("127.0.0.1", "127.0.0.1")])
def test_both_families_at_one_socket(
    loop: Loop, arrivals: Arrivals, host: str, address: str
) -> None:
    """A supervisor's socket may take IPv4 too: such an address is told as what it is."""
    sock = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    sock.setblocking(False)
    listener = Listener(sock, loop.readiness, loop, arrivals)
    listener.start()
    with socket.create_connection((host, sock.getsockname()[1])):
        loop.until(lambda: arrivals.addresses)
    assert arrivals.addresses == [address]
    listener.stop()


def test_batch(loop: Loop, arrivals: Arrivals) -> None:
    """One turn accepts many, but not endlessly many."""
    sock = bind(Listen(host="127.0.0.1", port=0))
    listener = Listener(sock, loop.readiness, loop, arrivals)
    with ExitStack() as stack:
        for _ in range(BATCH + 5):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        listener.start()
        loop.turn(1.0)
        assert len(arrivals.socks) == BATCH
        loop.until(lambda: len(arrivals.socks) == BATCH + 5)
    listener.stop()


def paced(loop: Loop, sock: socket.socket, arrivals: Arrivals) -> Listener:
    """One that accepts beside others."""
    pace = Pace(loop.seconds, lambda: len(arrivals.socks))
    listener = Listener(sock.dup(), loop.readiness, loop, arrivals, pace=pace)
    listener.start()
    return listener


def test_who_accepts_beside_others_takes_one_at_a_time(loop: Loop, arrivals: Arrivals) -> None:
    """So that many who come at once are not all with the first process that wakes up."""
    sock = bind(Listen(host="127.0.0.1", port=0))
    others = Arrivals()
    with ExitStack() as stack:
        stack.callback(others.close)
        for _ in range(2 * MORE):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        for accepted in (arrivals, others):
            stack.callback(paced(loop, sock, accepted).stop)
        loop.until(lambda: len(arrivals.socks) + len(others.socks) == 2 * MORE)
    assert (len(arrivals.socks), len(others.socks)) == (MORE, MORE)
    sock.close()


@pytest.mark.parametrize("finishes", [False, True])
def test_others_have_their_turn(loop: Loop, arrivals: Arrivals, finishes: bool) -> None:
    """Who wakes up first takes a few and then lets others; nobody is left outside at the end."""
    sock = bind(Listen(host="127.0.0.1", port=0))
    with ExitStack() as stack:
        for _ in range(2 * MORE):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        listener = paced(loop, sock, arrivals)
        loop.until(lambda: loop.getDelayedCalls())
        assert len(arrivals.socks) == MORE
        listener.finish() if finishes else loop.advance(SPAN)
        loop.until(lambda: len(arrivals.socks) == 2 * MORE)
        listener.stop()
    assert len(arrivals.socks) == 2 * MORE
    sock.close()


def test_stop(loop: Loop) -> None:
    """After the stop nobody is accepted, and the address is free."""
    sock = bind(Listen(host="127.0.0.1", port=0))
    name = sock.getsockname()
    listener = Listener(sock, loop.readiness, loop, never)
    listener.start()
    listener.stop()
    listener.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(name)
    bind(Listen(host="127.0.0.1", port=name[1])).close()


def test_stopped_while_accepting(loop: Loop, arrivals: Arrivals) -> None:
    """Who is accepted may be the reason to stop."""
    sock = bind(Listen(host="127.0.0.1", port=0))

    def accepted(one: Socket, address: str) -> None:
        arrivals(one, address)
        listener.stop()

    listener = Listener(sock, loop.readiness, loop, accepted)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        listener.start()
        loop.until(lambda: arrivals.socks)
        loop.rest()
    assert len(arrivals.socks) == 1


class Exhausted(socket.socket):
    """A listening socket of a process without descriptors."""

    code = errno.EMFILE
    times = 0

    def _accept(self) -> tuple[int, object]:
        if self.code:
            self.times += 1
            raise OSError(self.code, "no more")
        return super()._accept()  # type: ignore[misc,no-any-return]


def exhausted(code: int) -> Exhausted:
    with bind(Listen(host="127.0.0.1", port=0)) as bound:
        sock = Exhausted(fileno=bound.detach())
    sock.setblocking(False)
    sock.code = code
    return sock


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_exhausted(loop: Loop, arrivals: Arrivals, code: int) -> None:
    """Out of descriptors or memory: one line in the log, a rest, and those who wait come in."""
    sock = exhausted(code)
    listener = Listener(sock, loop.readiness, loop, arrivals)
    listener.start()
    with socket.create_connection(sock.getsockname()), capturedLogs() as logs:
        loop.until(lambda: sock.times)
        loop.rest()
        assert (sock.times, len(logs)) == (1, 1)
        sock.code = 0
        loop.advance(REST)
        loop.until(lambda: arrivals.socks)
    listener.stop()


def test_exhausted_for_long(loop: Loop) -> None:
    """What lasts is said once in a while, not at each try."""
    sock = exhausted(errno.EMFILE)
    listener = Listener(sock, loop.readiness, loop, never)
    listener.start()
    with socket.create_connection(sock.getsockname()), capturedLogs() as logs:
        for _ in range(int(TOLD / REST) + 2):
            loop.rest()
            loop.advance(REST)
    assert sock.times > 100
    assert len(logs) == 2
    listener.stop()


def test_no_room(loop: Loop, arrivals: Arrivals) -> None:
    """Without room nobody is accepted; who waits comes in when there is some again."""
    sock = bind(Listen(host="127.0.0.1", port=0))
    room = 2
    listener = Listener(sock, loop.readiness, loop, arrivals, lambda: len(arrivals.socks) < room)
    listener.start()
    with ExitStack() as stack, capturedLogs() as logs:
        for _ in range(3):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        loop.until(lambda: logs)
        assert len(arrivals.socks) == 2
        room = 3
        loop.advance(REST)
        loop.until(lambda: len(arrivals.socks) == 3)
        loop.rest()
        loop.advance(REST)
    assert len(logs) == 1
    listener.stop()


def test_stopped_while_resting(loop: Loop) -> None:
    """A listener that rests can be stopped."""
    sock = exhausted(errno.EMFILE)
    listener = Listener(sock, loop.readiness, loop, never)
    listener.start()
    with socket.create_connection(sock.getsockname()), capturedLogs():
        loop.until(lambda: sock.times)
        listener.stop()
    assert loop.getDelayedCalls() == []


def test_gone_before_it_was_accepted(loop: Loop, arrivals: Arrivals) -> None:
    """A connection that was reset before it was accepted is no reason to rest."""
    sock = exhausted(errno.ECONNABORTED)
    listener = Listener(sock, loop.readiness, loop, arrivals)
    listener.start()
    with socket.create_connection(sock.getsockname()), capturedLogs() as logs:
        loop.until(lambda: sock.times >= BATCH)
        sock.code = 0
        loop.until(lambda: arrivals.socks)
    assert logs == []
    listener.stop()


class LinkLocal(socket.socket):
    """A listening socket whose visitors come from the same link."""

    def _accept(self) -> tuple[int, object]:
        fd, name = super()._accept()  # type: ignore[misc]
        return fd, ("fe80::1%eth0", name[1], 0, 2)


def test_zone(loop: Loop, arrivals: Arrivals) -> None:
    """The zone of a link-local address means something here only, and is not told on."""
    with bind(Listen(host="::1", port=0)) as bound:
        sock = LinkLocal(fileno=bound.detach())
    sock.setblocking(False)
    listener = Listener(sock, loop.readiness, loop, arrivals)
    listener.start()
    with socket.create_connection(sock.getsockname()[:2]):
        loop.until(lambda: arrivals.socks)
    assert arrivals.addresses == ["fe80::1"]
    listener.stop()


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("127.0.0.1", None, "address already in use"),
        ("192.0.2.1", 0, "cannot assign requested address"),
    ],
)
def test_faults(host: str, port: int | None, why: str) -> None:
    """An address that can't be listened at is one line with the reason."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1] if port is None else port
        with pytest.raises(ListenFault) as fault:
            bind(Listen(host=host, port=wanted))
    assert str(fault.value) == f"{host}:{wanted}: {why}"
