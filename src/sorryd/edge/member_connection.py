"""One connection to a member: it reads answers, and tells its exchange.

What an answer, its failure or its silence means for the visitor is decided in relay.py; what
it means for the member, on the control side.
"""

from __future__ import annotations

import select
from typing import Final

from twisted.python.failure import Failure

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.bodies import BodyReader, ChunkedReader, LengthReader, UntilEndReader
from sorryd.edge.interfaces import Exchange, Wire
from sorryd.edge.member_interfaces import Connection, Pool
from sorryd.edge.wheel import NEVER
from sorryd.policy.heads import ResponseHead

CLOSING: Final = 5.0
"""Seconds to send what waits, when a connection is closed."""

MAX_INFORMATIONAL: Final = 16
"""1xx answers to one request; with more, its member is broken."""


class MemberConnection(Connection):
    """One connection to a member, as a protocol of its transport.

    It is also the producer of that transport: what it produces is the visitor's request body.
    """

    __slots__ = (
        "_answers", "_body", "_buffer", "_informational", "_is_full", "_keep", "_look", "_sent",
        "exchange", "pool",
    )  # fmt: skip

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._answers = pool.answers
        self.exchange: Exchange | None = None
        self.deadline = NEVER
        self.reused = False
        self.on_handshake = None
        self.on_lost = None  # while it is being made
        self.address = ""
        self.resumption = pool.resumption
        self.socket = None  # to look at without reading
        self._buffer = b""  # an incomplete head
        self._body: BodyReader | None = None  # of the current answer, once its head was read
        self._keep = False  # the connection serves again after this answer
        self._informational = 0
        self._is_full = False  # much of what was sent waits for the member to read
        self._sent = 0
        self._look: select.poll | None = None  # made once it is needed

    # --- what exchanges ask ---

    def begin(self, exchange: Exchange, head: bytes, body: list[bytes | memoryview] | None) -> None:
        """Carry `exchange`; `head` is its head, and `body` what there is of its body."""
        self.exchange = exchange
        self._informational = 0
        self._sent = self.transport.sent
        # Until all of the request is here it is the visitor's turn, not the member's.
        self.deadline = (
            self.pool.wheel.now + self.pool.timeouts.answer if exchange.request_done else NEVER
        )
        if body:
            self.transport.writeSequence([head, *body])
        else:
            self.transport.write(head)

    def send(self, data: bytes) -> None:
        """More of the request's body."""
        if self._body is None and self.exchange is not None and self.exchange.request_done:
            self._sent = self.transport.sent
            self._await_answer()
        self.transport.write(data)

    def pause(self) -> None:
        """Read no more for now: the visitor does not keep up."""
        self.deadline = NEVER
        self.transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        if self._body is not None:
            self.deadline = self.pool.wheel.now + self.pool.timeouts.stream
        elif self.exchange is not None and (self.exchange.request_done or self._is_full):
            self._await_answer()
        self.transport.resumeProducing()

    def abandon(self) -> None:
        """The exchange is over for its own reasons: the connection is of no more use."""
        self.exchange = None
        self._go_away()

    def hand_over(self) -> Wire:
        """The exchange became a tunnel, and the transport is the tunnel's."""
        self.exchange = None
        self.pool.wheel.discard(self)
        return self.transport

    def close(self) -> None:
        """Close a connection without an exchange."""
        self._keep = False
        self.deadline = self.pool.wheel.now + CLOSING
        self.transport.loseConnection()

    def seems_open(self) -> bool:
        """Whether neither data nor an end waits to be read. Costs less than a microsecond."""
        if self.socket is None:
            return True
        if self.socket.fileno() < 0:  # closed by ourselves
            return False
        if self._look is None:
            self._look = select.poll()
            self._look.register(self.socket, select.POLLIN)
        return not self._look.poll(0)

    # --- what the transport tells ---

    def makeConnection(self, transport: Wire) -> None:
        self.transport = transport
        transport.registerProducer(self, True)
        self.pool.wheel.add(self)

    def handshakeCompleted(self) -> None:
        if self.on_handshake is not None:
            self.on_handshake()

    def dataReceived(self, data: bytes) -> None:
        if self.exchange is None:
            # Nothing was asked (RFC 9112 §9.2: such bytes must not answer the next request).
            self._go_away()
        elif self._body is not None:
            self._read_body(self.exchange, self._body, data)
        else:
            self._read_heads(self._buffer + data if self._buffer else data, len(self._buffer))

    def dataPassed(self, size: int) -> None:
        assert self.exchange is not None and isinstance(self._body, LengthReader)  # noqa: PT018
        self._body.left -= size
        self.deadline = self.pool.wheel.now + self.pool.timeouts.stream
        self.exchange.answer_passed(size)

    def readConnectionLost(self) -> None:
        exchange = self.exchange
        if exchange is not None and isinstance(self._body, UntilEndReader):
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
        if exchange is None and self._keep:
            self.pool.forget(self)
            self.close()
        elif exchange is None:
            self._go_away()
        elif self.transport.sent != self._sent:
            self._sent = self.transport.sent
            self._await_answer()
        else:
            self.exchange = None
            self._go_away()
            exchange.member_late()

    def _await_answer(self) -> None:
        self.deadline = self.pool.wheel.now + self.pool.timeouts.answer

    def pauseProducing(self) -> None:
        self._is_full = True
        if self.exchange is not None:
            if self._body is None:
                self._await_answer()
            self.exchange.pause_request()

    def resumeProducing(self) -> None:
        self._is_full = False
        if self.exchange is not None:
            if self._body is None and not self.exchange.request_done:
                self.deadline = NEVER
            self.exchange.resume_request()

    def stopProducing(self) -> None:
        self._go_away()

    # --- reading answers ---

    def _read_heads(self, data: bytes, searched: int) -> None:
        exchange = self.exchange
        assert exchange is not None
        try:
            while True:
                head = self._answers.read(data, exchange.bodiless, searched)
                if head is None:
                    self._buffer = data
                    return
                data, searched = data[head.size :], 0
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
                exchange.switched(head, data)
                return
            body = self._body = self._reader(head)
            self._read_body(exchange, body, data, head)
        except BadMessage as why:
            self._broke(exchange, why.why)

    def _reader(self, head: ResponseHead) -> BodyReader:
        """How the answer's body is framed (RFC 9112 §6.3)."""
        self._keep = head.keep_alive
        if head.length is not None:
            return LengthReader(head.length)
        if head.chunked:
            return ChunkedReader(502, self.pool.head_limit, padded=True)
        self._keep = False
        return UntilEndReader()

    def _read_body(
        self, exchange: Exchange, body: BodyReader, data: bytes, head: ResponseHead | None = None
    ) -> None:
        """A piece of the body; with the first one, the `head` that came before it."""
        try:
            piece = body.feed(data)
        except BadMessage as why:
            self._broke(exchange, why.why)
            return
        done = body.done
        if done:
            if body.rest:
                self._keep = False  # bytes after the answer: nobody asked for them
            if body.trailers:
                exchange.trailers = body.trailers
            self._finish(exchange)
        else:
            self.deadline = self.pool.wheel.now + self.pool.timeouts.stream
        if head is None:
            exchange.answer_body(piece, done)
        else:
            exchange.answer(head, piece, done)
        if not done and isinstance(body, LengthReader) and (size := body.to_pour()):
            self._pour(exchange, size)

    def _pour(self, exchange: Exchange, size: int) -> None:
        """Let more of the answer go to the visitor by itself."""
        if self.exchange is exchange and (into := exchange.outlet()) is not None:
            self.transport.pour(into, size)

    def _finish(self, exchange: Exchange) -> None:
        """The answer is whole: the connection serves again, or ends."""
        self.exchange = None
        self._body = None
        if not exchange.request_done or self._is_full:
            self._go_away()  # an early answer: what is left of the request would follow it
        elif self._keep:
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
        self._go_away()
        if self.on_lost is not None:
            self.on_lost()
        if exchange is not None:
            silent = not (self._body or self._buffer or self._informational)
            when = "before its answer" if silent else "in the middle of its answer"
            exchange.member_lost(f"{why} {when}", silent)

    def _go_away(self) -> None:
        self.deadline = NEVER
        self.pool.forget(self)
        self.pool.wheel.discard(self)
        self.transport.abortConnection()
