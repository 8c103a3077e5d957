"""Where the dialogues of the edge are played."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from OpenSSL import SSL
from tests.edge.dialling import World
from tests.edge.handshakes import site, trusting
from tests.edge.loops import Connect, Loop, Pair, Peer, Recorder, tcp_pair
from tests.edge.probing import Street
from tests.edge.scene import TIMES, Scene, Stage
from tests.edge.town import Town

from sorryd.edge.openssl import DIRECT, PUBLIC, Calls
from sorryd.edge.plain_transport import PlainTransport
from sorryd.edge.reactor_readiness import ReactorReadiness
from sorryd.edge.readiness import EpollReadiness
from sorryd.edge.tls_transport import TlsTransport
from sorryd.model import Timeouts


@pytest.fixture(params=[False, True], ids=["whole", "bytewise"])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """For each dialogue twice: what comes, comes in one piece, or byte by byte.

    At the end of each, nothing may be left of it.
    """
    scenes: list[Scene] = []

    def make(
        members: int = 1, standby: int = 0, timeouts: Timeouts = TIMES, **fields: object
    ) -> Scene:
        scenes.append(Scene(request.param, members, standby, timeouts, **fields))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.end()


@pytest.fixture(params=[False, True], ids=["whole", "bytewise"])
def street(request: pytest.FixtureRequest) -> Iterator[Street]:
    """Members to check, twice: what comes, comes in one piece, or byte by byte."""
    street = Street(bytewise=request.param)
    yield street
    street.end()


@pytest.fixture(params=[EpollReadiness, ReactorReadiness], ids=["epoll", "reactor"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """For each kind of readiness: a loop, on which nothing may be left at the end."""
    loop = Loop(request.param)
    yield loop
    loop.end()


@pytest.fixture
def world(loop: Loop) -> Iterator[World]:
    world = World(loop)
    yield world
    world.end()


@pytest.fixture
def town(loop: Loop) -> Iterator[Town]:
    """For each kind of readiness: an edge with nothing in it."""
    town = Town(loop)
    yield town
    town.end()


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


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two sockets, connected to each other, which do not wait."""
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        other.setblocking(False)
        yield one, other


@pytest.fixture
def connect(loop: Loop) -> Iterator[Connect]:
    """Makes a connection: its transport, the protocol on it, and the peer."""
    with contextlib.ExitStack() as stack:

        def make(
            produces: bool = False, buffers: int | None = None
        ) -> tuple[PlainTransport, Recorder, Peer]:
            ours, theirs = tcp_pair(buffers)
            protocol = Recorder(produces=produces)
            transport = PlainTransport(ours, protocol, loop.readiness)
            transport.start()
            stack.callback(theirs.close)
            stack.callback(loop.rest)
            stack.callback(transport.abortConnection)
            return transport, protocol, Peer(theirs, loop)

        yield make


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[SSL.Context, SSL.Context]:
    """A site's context, and a client's that trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    return site(folder), trusting(folder)


@pytest.fixture(params=[DIRECT, PUBLIC], ids=["direct", "public"])
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Both ways to OpenSSL, which all transports of the test then use."""
    assert isinstance(request.param, Calls)
    monkeypatch.setattr(TlsTransport, "calls", request.param)
    return request.param
