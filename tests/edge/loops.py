"""A small loop over real sockets, and protocols that write down what they are told."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import (
    IReactorFDSet,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.edge.interfaces import TunnelEnd, Wire
from sorryd.edge.plain_transport import PlainTransport
from sorryd.edge.reactor_readiness import ReactorReadiness
from sorryd.edge.readiness import EpollReadiness

Pair = tuple[socket.socket, socket.socket]

PATIENCE = 10.0  # seconds after which what was waited for is taken for lost


@implementer(IReactorFDSet)
class Loop(Clock):
    """A reactor that turns only when it is told to; its time stands still between."""

    def __init__(self, kind: type[EpollReadiness] | type[ReactorReadiness]) -> None:
        super().__init__()
        self._readers: dict[int, IReadDescriptor] = {}
        self._writers: dict[int, IWriteDescriptor] = {}
        self.readiness = kind(self, self)

    # --- IReactorFDSet ---

    def addReader(self, reader: IReadDescriptor) -> None:
        self._readers[reader.fileno()] = reader

    def addWriter(self, writer: IWriteDescriptor) -> None:
        self._writers[writer.fileno()] = writer

    def removeReader(self, reader: IReadDescriptor) -> None:
        self._readers.pop(reader.fileno(), None)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        self._writers.pop(writer.fileno(), None)

    def removeAll(self) -> list[IReadDescriptor | IWriteDescriptor]:
        raise NotImplementedError

    def getReaders(self) -> list[IReadDescriptor]:
        return list(self._readers.values())

    def getWriters(self) -> list[IWriteDescriptor]:
        return list(self._writers.values())

    # --- for tests ---

    def turn(self, wait: float = 0.0) -> None:
        """Tell who is ready, within `wait` seconds; then do what was put off."""
        wait = 0.0 if self.getDelayedCalls() else wait
        readable, writable, _ = select.select(list(self._readers), list(self._writers), (), wait)
        for fd in readable:
            if fd in self._readers:
                self._readers[fd].doRead()
        for fd in writable:
            if fd in self._writers:
                self._writers[fd].doWrite()
        self.advance(0)

    def until(self, happened: Callable[[], object]) -> None:
        """Turn until `happened` is true."""
        end = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < end, "waited in vain"
            self.turn(0.05)

    def watching_writers(self) -> list[Callable[[], object]]:
        """What is called when a descriptor can be written."""
        if isinstance(self.readiness, EpollReadiness):
            return list(self.readiness._writers.values())
        return [writer.doWrite for writer in self.getWriters()]

    def rest(self) -> None:
        """Turn until nothing is left to be done at once."""
        for _ in range(5):
            self.turn()

    def end(self) -> None:
        """Nothing may be watched or put off any more."""
        self.rest()
        assert isinstance(self.readiness, ReactorReadiness) or not (
            self.readiness._readers or self.readiness._writers
        )
        self.readiness.close()
        assert not self._readers
        assert not self._writers
        assert self.getDelayedCalls() == []


class Recorder(TunnelEnd):
    """A protocol and producer that writes down what it is told."""

    transport: Wire

    def __init__(self, reads: bool = True, produces: bool = False) -> None:
        self.told: list[str] = []
        self.data = b""
        self.pieces: list[int] = []
        self.passed = 0
        self.lost: type[BaseException] | None = None
        self.when_data: Callable[[], None] | None = None
        self._reads = reads
        self._produces = produces

    def makeConnection(self, transport: Wire) -> None:
        self.transport = transport
        self.told.append("made")
        if self._produces:
            transport.registerProducer(self, True)

    def handshakeCompleted(self) -> None:
        self.told.append("handshake")

    def dataReceived(self, data: bytes) -> None:
        assert self.lost is None
        self.data += data
        self.pieces.append(len(data))
        if self.when_data is not None:
            self.when_data()

    def dataPassed(self, size: int) -> None:
        assert self.lost is None
        self.passed += size

    def readConnectionLost(self) -> None:
        assert self.lost is None
        self.told.append("fin")

    def connectionLost(self, reason: Failure) -> None:
        assert self.lost is None, "lost twice"
        self.lost = reason.type
        self.told.append("lost")

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        raise AssertionError("no transport of ours asks this")


class Peer:
    """The other end of a connection: a plain socket that never blocks."""

    def __init__(self, sock: socket.socket, loop: Loop) -> None:
        self.sock = sock
        self._loop = loop
        sock.setblocking(False)

    def sends(self, data: bytes) -> None:
        """Send all of `data`, turning the loop while it is not taken."""
        view = memoryview(data)
        end = time.monotonic() + PATIENCE
        while view:
            assert time.monotonic() < end, "not taken"
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                self._loop.turn(0.01)

    def gets(self, size: int) -> bytes:
        """The next `size` bytes."""
        data = bytearray()
        end = time.monotonic() + PATIENCE
        while len(data) < size:
            assert time.monotonic() < end, "nothing came"
            try:
                piece = self.sock.recv(size - len(data))
            except BlockingIOError:
                self._loop.turn(0.01)
                continue
            assert piece, "FIN came"
            data += piece
        return bytes(data)

    def finds_fin(self) -> bool:
        """Wait for the end; whether it is FIN rather than a reset."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if not self.sock.recv(65536):
                    return True
            except BlockingIOError:
                self._loop.turn(0.01)
            except ConnectionResetError:
                return False
        raise AssertionError("neither FIN nor a reset came")

    def resets(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def tcp_pair(buffers: int | None = None) -> tuple[socket.socket, socket.socket]:
    """Two connected TCP sockets; with small `buffers` in bytes, writes are soon partial."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.socket()
        if buffers is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
        client.connect(server.getsockname())
        accepted, _ = server.accept()
    if buffers is not None:
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffers)
    accepted.setblocking(False)
    client.setblocking(False)
    return accepted, client


def noise(size: int) -> bytes:
    """Bytes in which every cut shows."""
    return b"".join(struct.pack(">I", n) for n in range(size // 4 + 1))[:size]


def never(*_: Any) -> None:
    """Something that must not be called."""
    raise AssertionError("called")


class Connect(Protocol):
    """Makes a connection: its transport, the protocol on it, and the peer."""

    def __call__(
        self, produces: bool = False, buffers: int | None = None
    ) -> tuple[PlainTransport, Recorder, Peer]: ...
