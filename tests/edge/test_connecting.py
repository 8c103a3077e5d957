"""From a member's name to a connection, over real sockets."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from OpenSSL import SSL
from tests.certificates import authority
from tests.edge.handshakes import NAME, ROOT, site, written
from tests.edge.loops import Loop, Peer, Recorder
from tests.edge.scene import TIMES, request
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer

from sorryd.edge.connecting import SocketConnector
from sorryd.edge.interfaces import Connection
from sorryd.edge.members import Pool
from sorryd.edge.tls import member_context
from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.wheel import TICK, Wheel
from sorryd.model import Member, MemberTls


@implementer(IHostResolution)
class Resolution:
    """One question to the resolver."""

    name = "name"

    def cancel(self) -> None:
        raise NotImplementedError


@implementer(IHostnameResolver, IReactorPluggableNameResolver)
class Names:
    """A resolver that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, IResolutionReceiver]] = []

    @property
    def nameResolver(self) -> IHostnameResolver:
        return self

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        raise NotImplementedError

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self.asked.append((hostName, resolutionReceiver))
        resolution = Resolution()
        resolutionReceiver.resolutionBegan(resolution)
        return resolution

    def answers(self, *hosts: str) -> None:
        _, receiver = self.asked.pop(0)
        for host in hosts:
            receiver.addressResolved(IPv4Address("TCP", host, 0))
        receiver.resolutionComplete()


class Outcome:
    """What became of one attempt to connect."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.why: str | None = None

    def __call__(self, connection: Connection | None, why: str) -> None:
        assert self.why is None, "told twice"
        self.connection = connection
        self.why = why

    @property
    def is_known(self) -> bool:
        return self.why is not None


class World:
    """A loop with members to connect to, and what connects to them."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.names = Names()
        self.wheel = Wheel(loop, loop.seconds)
        self.wheel.start()
        self.pools: list[Pool] = []
        self._connector = SocketConnector(
            self.names, loop.readiness, self.wheel, TIMES.connect, self._context_of
        )

    @staticmethod
    def _context_of(member: Member) -> SSL.Context:
        assert member.tls is not None
        return member_context(member.tls)

    def connect(
        self, host: str, port: int, tls: MemberTls | None = None
    ) -> tuple[Outcome, Callable[[], None]]:
        member = Member(url=f"http://{host}:{port}", host=host, port=port, tls=tls)
        pool = Pool(member, TIMES, 1000, self.wheel, self._connector)
        self.pools.append(pool)
        outcome = Outcome()
        cancel = pool.connect(outcome)
        assert not outcome.is_known, "told before connect came back"
        return outcome, cancel

    def fails(self, outcome: Outcome) -> str:
        self.loop.until(lambda: outcome.is_known)
        assert outcome.connection is None
        assert outcome.why
        return outcome.why

    def succeeds(self, outcome: Outcome) -> Connection:
        self.loop.until(lambda: outcome.is_known)
        assert outcome.connection is not None, outcome.why
        return outcome.connection

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.loop.advance(TICK)

    def end(self) -> None:
        self.loop.rest()
        assert len(self.wheel) == 0
        self.wheel.stop()


@pytest.fixture
def world(loop: Loop) -> Iterator[World]:
    world = World(loop)
    yield world
    world.end()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def accepted(loop: Loop, server: socket.socket) -> Peer:
    taken: list[socket.socket] = []

    def arrived() -> bool:
        with contextlib.suppress(BlockingIOError):
            taken.append(server.accept()[0])
        return bool(taken)

    loop.until(arrived)
    return Peer(taken[0], loop)


# --- plain ----------------------------------------------------------------------------------


def test_address(world: World, server: socket.socket) -> None:
    """A member given by its address is connected to without asking for its name."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
    connection = world.succeeds(outcome)
    peer = accepted(world.loop, server)
    connection.transport.write(request())
    assert peer.gets(len(request())) == request()
    assert connection.seems_open()
    assert not connection.reused
    assert not world.names.asked
    connection.abandon()
    peer.sock.close()


def test_seems_open(world: World, server: socket.socket) -> None:
    """A look at the socket finds an end, or data, before they were read."""
    for sends in (b"", b"x"):
        outcome, _ = world.connect("127.0.0.1", server.getsockname()[1])
        connection = world.succeeds(outcome)
        peer = accepted(world.loop, server)
        connection.transport.pauseProducing()
        assert connection.seems_open()
        if sends:
            peer.sends(sends)
        peer.sock.close()
        assert not connection.seems_open()
        connection.abandon()
        world.loop.rest()
        assert not connection.seems_open()


def test_refused(world: World, free_port: int) -> None:
    """A port at which nobody listens is told as that."""
    outcome, _ = world.connect("127.0.0.1", free_port)
    assert world.fails(outcome) == "connection refused"


def test_refused_at_once(world: World) -> None:
    """An address that the kernel refuses at once is told in a later turn, too."""
    outcome, _ = world.connect("255.255.255.255", 80)
    assert world.fails(outcome) in ("permission denied", "network is unreachable")


def test_name(world: World, server: socket.socket, free_port: int) -> None:
    """The addresses of a name are tried one after the other."""
    port = server.getsockname()[1]
    outcome, _ = world.connect("app.internal", port)
    world.loop.rest()
    assert world.names.asked[0][0] == "app.internal"
    world.names.answers("127.0.0.2", "127.0.0.3", "127.0.0.1")
    connection = world.succeeds(outcome)
    peer = accepted(world.loop, server)
    connection.abandon()
    peer.sock.close()


def test_all_addresses_fail(world: World, free_port: int) -> None:
    """When all addresses of a name have failed, the last reason is told."""
    outcome, _ = world.connect("app.internal", free_port)
    world.loop.rest()
    world.names.answers("127.0.0.2", "127.0.0.1")
    assert world.fails(outcome) == "connection refused"


def test_unknown_name(world: World) -> None:
    """A name without an address is told as that."""
    outcome, _ = world.connect("app.internal", 80)
    world.loop.rest()
    world.names.answers()
    assert world.fails(outcome) == "the name app.internal has no address"


def test_slow_name(world: World) -> None:
    """`timeout_connect` holds for the name, too; an answer after it comes too late."""
    outcome, _ = world.connect("app.internal", 80)
    world.loop.rest()
    world.passes(TIMES.connect)
    assert not outcome.is_known
    world.passes(2 * TICK)
    assert world.fails(outcome) == "no connection within 5 s"
    world.names.answers("127.0.0.1")


@pytest.mark.parametrize("cancelled", [False, True], ids=["time-out", "cancelled"])
def test_slow_connection(world: World, cancelled: bool) -> None:
    """A member that does not answer the connection is given up after `timeout_connect`."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        outcome, cancel = world.connect("127.0.0.1", full.getsockname()[1])
        world.loop.rest()
        for writer in world.loop.watching_writers():
            writer()  # woken for nothing
        if cancelled:
            cancel()
        world.passes(TIMES.connect)
        assert not outcome.is_known
        world.passes(2 * TICK)
        if cancelled:
            assert not outcome.is_known
        else:
            assert world.fails(outcome) == "no connection within 5 s"


@pytest.mark.parametrize("when", ["at once", "resolving"])
def test_cancel(world: World, server: socket.socket, when: str) -> None:
    """An attempt that is taken back is never heard of again."""
    host = "app.internal" if when == "resolving" else "127.0.0.1"
    outcome, cancel = world.connect(host, server.getsockname()[1])
    if when == "resolving":
        world.loop.turn()
    cancel()
    if when == "resolving":
        world.names.answers("127.0.0.1")
    world.loop.rest()
    assert not outcome.is_known
    with pytest.raises(BlockingIOError):
        server.accept()


# --- TLS ------------------------------------------------------------------------------------


class Serving:
    """The member's side of TLS."""

    def __init__(self, loop: Loop, server: socket.socket, context: SSL.Context) -> None:
        self.sock = accepted(loop, server).sock
        self.tls = SSL.Connection(context, self.sock)
        self.tls.set_accept_state()
        self.recorder = Recorder()
        self.transport = TlsTransport(self.sock, self.tls, self.recorder, loop.readiness)
        self.transport.start()


def trust(folder: Path, name: str | None = NAME, verify: bool = True) -> MemberTls:
    return MemberTls(ca=written(folder, "ca.pem", ROOT.pem), name=name, verify=verify)


def test_tls(world: World, server: socket.socket, tmp_path: Path) -> None:
    """A member by TLS is connected when its certificate was checked, and gets its name by SNI."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], trust(tmp_path))
    serving = Serving(world.loop, server, site(tmp_path))
    connection = world.succeeds(outcome)
    assert serving.tls.get_servername() == NAME.encode()
    connection.transport.write(b"hello")
    world.loop.until(lambda: serving.recorder.data == b"hello")
    connection.abandon()
    world.loop.until(lambda: serving.recorder.lost)


@pytest.mark.parametrize(("name", "ok"), [("127.0.0.1", True), ("127.0.0.2", False), (None, True)])
def test_tls_by_address(
    world: World, server: socket.socket, tmp_path: Path, name: str | None, ok: bool
) -> None:
    """A member named by its address is checked for it, and gets no SNI."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], trust(tmp_path, name))
    serving = Serving(world.loop, server, site(tmp_path, names=["127.0.0.1"]))
    if ok:
        connection = world.succeeds(outcome)
        assert serving.tls.get_servername() is None
        connection.abandon()
    else:
        assert world.fails(outcome) == "its certificate is for 127.0.0.1, not for 127.0.0.2"
    world.loop.until(lambda: serving.recorder.lost)


@pytest.mark.parametrize(
    ("tls", "why"),
    [
        pytest.param("other name", f"its certificate is for {NAME}, not for other", id="name"),
        pytest.param("other ca", "TLS handshake failed: its certificate's issuer is un", id="ca"),
    ],
)
def test_not_who_it_should_be(
    world: World, server: socket.socket, tmp_path: Path, tls: str, why: str
) -> None:
    """A member whose certificate is not for it, or not to be trusted, is not spoken to."""
    settings = trust(tmp_path, "other" if tls == "other name" else NAME)
    if tls == "other ca":
        settings = MemberTls(ca=written(tmp_path, "o.pem", authority("Other").pem), name=NAME)
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], settings)
    serving = Serving(world.loop, server, site(tmp_path))
    assert world.fails(outcome).startswith(why)
    world.loop.until(lambda: serving.recorder.lost)
    assert serving.recorder.data == b""


def test_unverified(world: World, server: socket.socket, tmp_path: Path) -> None:
    """With verify=no anybody will do."""
    outcome, _ = world.connect(
        "127.0.0.1", server.getsockname()[1], MemberTls(name="other", verify=False)
    )
    serving = Serving(world.loop, server, site(tmp_path))
    world.succeeds(outcome).abandon()
    world.loop.until(lambda: serving.recorder.lost)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(b"", "unexpected eof", id="closes"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "wrong version number", id="plain"),
    ],
)
def test_no_tls(world: World, server: socket.socket, said: bytes, why: str) -> None:
    """A member that does not speak TLS is told as that."""
    outcome, _ = world.connect("127.0.0.1", server.getsockname()[1], MemberTls())
    peer = accepted(world.loop, server)
    if said:
        peer.sends(said)
    else:
        world.loop.rest()
        peer.sock.shutdown(socket.SHUT_WR)
    reason = world.fails(outcome).lower()
    assert reason.startswith("tls handshake failed: ")
    assert why in reason
    peer.sock.close()


@pytest.mark.parametrize("how", ["time-out", "cancel"])
def test_silent_tls(world: World, server: socket.socket, how: str) -> None:
    """A handshake that stands still is given up after `timeout_connect`, or when taken back."""
    outcome, cancel = world.connect("127.0.0.1", server.getsockname()[1], MemberTls())
    peer = accepted(world.loop, server)
    world.loop.rest()
    if how == "cancel":
        cancel()
        world.loop.rest()
        assert not outcome.is_known
    else:
        world.passes(TIMES.connect + 2 * TICK)
        assert world.fails(outcome) == "no connection within 5 s"
    assert not peer.finds_fin()
    peer.sock.close()


def test_international_name(world: World, server: socket.socket, tmp_path: Path) -> None:
    """A name that can't be sent by SNI is a failure like any other."""
    label = "x" * 64
    outcome, _ = world.connect(
        "127.0.0.1", server.getsockname()[1], MemberTls(name=f"ü{label}.internal")
    )
    assert "name" in world.fails(outcome)
