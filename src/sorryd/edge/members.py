"""Connections to members: one exchange at a time on each, kept alive between them.

A `Pool` belongs to one member of one site. A `MemberConnection` reads answers and tells its
exchange; what an answer, its failure or its silence means for the visitor is decided in
relay.py, what it means for the member on the control side.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final, Protocol

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.edge.bodies import ChunkedReader
from sorryd.edge.http1 import BadMessage, ResponseHead, head_end, read_response
from sorryd.edge.transport import Wire
from sorryd.edge.wheel import NEVER, Wheel
from sorryd.model import Member, Timeouts

KEPT_IDLE: Final = 256  # idle connections kept per member
KEPT_FOR: Final = 30.0  # seconds that one is kept idle
CLOSING_FOR: Final = 5.0  # seconds to send what waits, when one is closed
MAX_INFORMATIONAL: Final = 16  # 1xx answers to one request


class Exchange(Protocol):
    """What a member's connection tells the exchange that it carries."""

    bodiless: bool  # the answer to HEAD has no body
    request_done: bool  # all of the request was sent

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        """The final head, and the body so far."""

    def answer_body(self, piece: bytes, done: bool) -> None:
        """More of the body; `done` is true exactly once."""

    def informational(self, head: ResponseHead) -> None:
        """A 1xx other than 101."""

    def switched(self, head: ResponseHead, rest: bytes) -> None:
        """A 101: what follows is no HTTP any more. Sets `tunnel`, or abandons."""

    def member_lost(self, why: str, silent: bool) -> None:
        """The connection ended before the answer did; `silent`: without a byte of it."""

    def member_broke(self, why: str) -> None:
        """The answer can't be trusted."""

    def member_late(self) -> None:
        """Nothing came for as long as the time-outs allow."""

    def pause_request(self) -> None:
        """The member does not take what is sent to it."""

    def resume_request(self) -> None:
        """It does again."""


class Tunnel(Protocol):
    """What a member's connection tells a tunnel: see tunnel.py."""

    def from_member(self, data: bytes) -> None: ...
    def member_ended(self) -> None: ...
    def member_gone(self) -> None: ...
    def pause_visitor(self) -> None: ...
    def resume_visitor(self) -> None: ...


class Connector(Protocol):
    """Makes connections: see connecting.py."""

    def connect(
        self, connection: MemberConnection, member: Member, done: Callable[[str | None], None]
    ) -> Callable[[], None]:
        """Connect; `done` gets None or why it failed. Returns what cancels it."""


class Pool:
    """The connections to one member. `active` counts exchanges, each exactly once."""

    def __init__(
        self,
        member: Member,
        timeouts: Timeouts,
        head_limit: int,
        wheel: Wheel,
        connector: Connector,
    ) -> None:
        self.member = member
        self.timeouts = timeouts
        self.head_limit = head_limit
        self.wheel = wheel
        self.active = 0
        self._connector = connector
        self._idle: list[MemberConnection] = []
        self._closed = False
        host = f"[{member.host}]" if ":" in member.host else member.host
        default = 443 if member.tls else 80
        self.authority = (host if member.port == default else f"{host}:{member.port}").encode()

    def take(self, checked: bool) -> MemberConnection | None:
        """An idle connection, the one used last first.

        `checked`: look at the socket before, since this request can't be sent again. A
        connection that the member closed in the same moment is still not always seen.
        """
        while self._idle:
            connection = self._idle.pop()
            if not checked or connection.seems_open():
                return connection
            connection.close()
        return None

    def connect(self, done: Callable[[MemberConnection | None, str], None]) -> Callable[[], None]:
        """A fresh connection, or None and why there is none. Returns what cancels it."""
        connection = MemberConnection(self)

        def connected(why: str | None) -> None:
            done(connection if why is None else None, why or "")

        return self._connector.connect(connection, self.member, connected)

    def put(self, connection: MemberConnection) -> None:
        """Keep a connection whose exchange is over."""
        if self._closed or len(self._idle) >= KEPT_IDLE:
            connection.close()
            return
        connection.deadline = self.wheel.now + KEPT_FOR
        self._idle.append(connection)

    def forget(self, connection: MemberConnection) -> None:
        """An idle connection has ended by itself."""
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """Close what is idle now, and the others as they become so."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


@implementer(IPushProducer)
class MemberConnection:
    """One connection to a member, as a protocol of its transport.

    It is also the producer of that transport: what it produces is the visitor's request body.
    """

    __slots__ = (
        "_buffer", "_chunks", "_in_body", "_informational", "_keep", "_left", "_sent", "deadline",
        "exchange", "on_handshake", "on_lost", "pool", "reused", "socket", "transport", "tunnel",
    )  # fmt: skip

    transport: Wire

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.exchange: Exchange | None = None
        self.tunnel: Tunnel | None = None
        self.deadline = NEVER
        self.reused = False
        self.on_handshake: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None  # while it is being made
        self.socket: socket.socket | None = None  # to look at without reading
        self._buffer = b""
        self._in_body = False
        self._left: int | None = 0  # bytes of the body to come; None: until the end
        self._chunks: ChunkedReader | None = None
        self._keep = False
        self._informational = 0
        self._sent = 0

    # --- what exchanges ask ---

    def begin(self, exchange: Exchange, data: bytes) -> None:
        """Carry `exchange`; `data` is its head and what there is of its body."""
        self.exchange = exchange
        self._in_body = False
        self._informational = 0
        self.deadline = self.pool.wheel.now + self.pool.timeouts.answer
        self.transport.write(data)

    def send(self, data: bytes) -> None:
        """More of the request's body, or of a tunnel."""
        if not self._in_body:
            self.deadline = self.pool.wheel.now + self.pool.timeouts.answer
        self.transport.write(data)

    def pause(self) -> None:
        """Read no more for now: the visitor does not keep up."""
        self.deadline = NEVER
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        if self.exchange is not None:
            self.deadline = self.pool.wheel.now + self.pool.timeouts.stream
        self.transport.resumeProducing()

    def abandon(self) -> None:
        """The exchange is over for its own reasons: the connection is of no more use."""
        self.exchange = None
        self._go_away()

    def close(self) -> None:
        """Close a connection without an exchange."""
        self._keep = False
        self.deadline = self.pool.wheel.now + CLOSING_FOR
        self.transport.loseConnection()

    def seems_open(self) -> bool:
        """Whether neither data nor an end waits to be read."""
        if self.socket is None:
            return True
        try:
            self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False

    # --- what the transport tells ---

    def makeConnection(self, transport: Wire) -> None:
        self.transport = transport
        transport.registerProducer(self, True)
        self.pool.wheel.add(self)

    def handshakeCompleted(self) -> None:
        if self.on_handshake is not None:
            self.on_handshake()

    def dataReceived(self, data: bytes) -> None:
        if self.tunnel is not None:
            self.tunnel.from_member(data)
        elif self.exchange is None:
            # Nothing was asked (RFC 9112 §9.2: such bytes must not answer the next request).
            self._go_away()
        elif self._in_body:
            self._read_body(data)
        else:
            self._read_heads(self._buffer + data if self._buffer else data, len(self._buffer))

    def readConnectionLost(self) -> None:
        if self.tunnel is not None:
            self.tunnel.member_ended()
            return
        exchange = self.exchange
        if exchange is not None and self._in_body and self._left is None and not self._chunks:
            # RFC 9112 §6.3: the end of the connection is the end of this body.
            self._finish(exchange)
            exchange.answer_body(b"", True)
            return
        self._lost("closed the connection")

    def connectionLost(self, reason: Failure) -> None:
        self._lost("the connection was lost")

    def timed_out(self) -> None:
        """The deadline has passed (see wheel.py)."""
        exchange = self.exchange
        wheel = self.pool.wheel
        if exchange is None and self._keep:
            self.pool.forget(self)
            self.close()
        elif exchange is None:
            self._go_away()
        elif self.transport.sent != self._sent:
            self._sent = self.transport.sent
            self.deadline = wheel.now + self.pool.timeouts.answer
        else:
            self.exchange = None
            self._go_away()
            exchange.member_late()

    def pauseProducing(self) -> None:
        if self.tunnel is not None:
            self.tunnel.pause_visitor()
        elif self.exchange is not None:
            self.exchange.pause_request()

    def resumeProducing(self) -> None:
        if self.tunnel is not None:
            self.tunnel.resume_visitor()
        elif self.exchange is not None:
            self.exchange.resume_request()

    def stopProducing(self) -> None:
        self._go_away()

    # --- reading answers ---

    def _read_heads(self, data: bytes, searched: int) -> None:
        exchange = self.exchange
        assert exchange is not None
        try:
            while True:
                end = head_end(data, self.pool.head_limit, searched)
                if end < 0:
                    self._buffer = data
                    return
                head = read_response(data, end, exchange.bodiless)
                data, searched = data[end:], 0
                if head.status >= 200 or head.status == 101:
                    break
                self._informational += 1
                if self._informational > MAX_INFORMATIONAL:
                    raise BadMessage(502, "too many informational answers")
                exchange.informational(head)
                if self.exchange is not exchange:
                    return
            self._buffer = b""
            if head.status == 101:
                self.deadline = NEVER
                self.exchange = None
                exchange.switched(head, data)
            else:
                self._begin_body(exchange, head, data)
        except BadMessage as why:
            self._broke(exchange, why.why)

    def _begin_body(self, exchange: Exchange, head: ResponseHead, data: bytes) -> None:
        self._in_body = True
        self._keep = head.keep_alive and (head.chunked or head.length is not None)
        self._left = head.length
        self._chunks = ChunkedReader(502, self.pool.head_limit) if head.chunked else None
        piece, done = self._take(data)
        if done:
            self._finish(exchange)
        else:
            self.deadline = self.pool.wheel.now + self.pool.timeouts.stream
        exchange.answer(head, piece, done)

    def _read_body(self, data: bytes) -> None:
        exchange = self.exchange
        assert exchange is not None
        try:
            piece, done = self._take(data)
        except BadMessage as why:
            self._broke(exchange, why.why)
            return
        if done:
            self._finish(exchange)
        else:
            self.deadline = self.pool.wheel.now + self.pool.timeouts.stream
        exchange.answer_body(piece, done)

    def _take(self, data: bytes) -> tuple[bytes, bool]:
        """The body's part of `data`, and whether it is whole with it."""
        if self._chunks is not None:
            piece = self._chunks.feed(data)
            if self._chunks.done and self._chunks.rest:
                self._keep = False  # bytes after the answer
            return piece, self._chunks.done
        left = self._left
        if left is None:
            return data, False
        if len(data) > left:
            self._keep = False  # bytes after the answer
            data = data[:left]
        self._left = left - len(data)
        return data, not self._left

    def _finish(self, exchange: Exchange) -> None:
        """The answer is whole: the connection serves again, or ends."""
        self.exchange = None
        self._in_body = False
        self._chunks = None
        if not exchange.request_done:
            self._go_away()  # an early answer: what else it was sent would begin a new request
        elif self._keep:
            self.reused = True
            self.pool.put(self)
        else:
            self.close()

    # --- endings ---

    def _broke(self, exchange: Exchange, why: str) -> None:
        self.exchange = None
        self._go_away()
        exchange.member_broke(why)

    def _lost(self, why: str) -> None:
        exchange, self.exchange = self.exchange, None
        tunnel, self.tunnel = self.tunnel, None
        self._go_away()
        if self.on_lost is not None:
            self.on_lost()
        if exchange is not None:
            silent = not (self._in_body or self._buffer or self._informational)
            when = "before its answer" if silent else "in the middle of its answer"
            exchange.member_lost(f"{why} {when}", silent)
        if tunnel is not None:
            tunnel.member_gone()

    def _go_away(self) -> None:
        self.deadline = NEVER
        self.pool.forget(self)
        self.pool.wheel.discard(self)
        self.transport.abortConnection()
