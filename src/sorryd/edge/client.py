"""A visitor's connection: requests in their order, answers in theirs.

It frames requests, starts an exchange for each, or answers by itself: the apology, or a short
plain refusal where a request is no good. Whatever it answers before the whole request was
read, the rest is read away within limits, so that the connection lives, or at least the answer
is not destroyed by a reset.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.edge.bodies import BodyReader, ChunkedReader, LengthReader
from sorryd.edge.http1 import BadMessage, RequestHead, check_beginning, head_end, read_request
from sorryd.edge.members import MemberConnection
from sorryd.edge.refusals import refusal
from sorryd.edge.relay import Exchange
from sorryd.edge.site import SiteEdge
from sorryd.edge.transport import Wire
from sorryd.edge.tunnel import Tunnel
from sorryd.edge.wheel import NEVER
from sorryd.policy.apology import ReadyApology
from sorryd.policy.headers import Forwarding

DISCARDED: Final = 1 << 20
"""Bytes of a request's body that are read away after its answer, to keep the connection."""

LINGER: Final = 5.0
"""Seconds that a connection is read away after a refusal, before it is closed."""

_CLOSE: Final = b"Connection: close\r\n"
_KEEP_ALIVE: Final = b"Connection: keep-alive\r\n"


@implementer(IPushProducer)
class VisitorConnection:
    """One connection of one visitor, as a protocol of its transport.

    It is also the producer of that transport: what it produces are the answers.
    """

    __slots__ = (
        "_advancing", "_answering", "_blocked", "_body", "_buffer", "_closing", "_discarded",
        "_ended", "_exchange", "_forwarding", "_head", "_last", "_lingering", "_paused",
        "_received", "_sent", "_site", "_tunnel", "_wheel", "deadline", "transport",
    )  # fmt: skip

    transport: Wire

    def __init__(self, site: SiteEdge, address: str, tls: bool) -> None:
        self._site = site
        self._wheel = site.wheel
        self._forwarding = Forwarding(address, tls)
        self.deadline = NEVER
        self._buffer = b""  # an incomplete head, or what was pipelined
        self._head: RequestHead | None = None
        self._body: BodyReader | None = None  # of the current request, while it is not whole
        self._exchange: Exchange | None = None
        self._tunnel: Tunnel | None = None
        self._answering = False  # the answer to the current request is not whole
        self._last = False  # the current answer is the connection's last
        self._received = 0  # bytes of the current body
        self._discarded = 0  # ... that came after its answer
        self._closing = False  # nothing more is said
        self._lingering = False  # ... but the visitor may have more to say
        self._ended = False  # the visitor's FIN was seen
        self._blocked = False  # the visitor does not take what is sent
        self._paused = False  # the visitor is not read from
        self._advancing = False
        self._sent = 0

    # --- what the transport tells ---

    def makeConnection(self, transport: Wire) -> None:
        self.transport = transport
        transport.registerProducer(self, True)
        self.deadline = self._wheel.now + self._site.timeouts.header
        self._site.arrived(self)

    def handshakeCompleted(self) -> None:
        self.deadline = self._wheel.now + self._site.timeouts.header

    def dataReceived(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.from_visitor(data)
        elif not self._closing:
            self._advance(data)

    def readConnectionLost(self) -> None:
        """FIN: with a request complete its answer is still owed, without it nothing is."""
        self._ended = True
        if self._tunnel is not None:
            self._tunnel.visitor_ended()
        elif self._body is not None or not self._answering:
            self._cancel()
            self.close()

    def connectionLost(self, reason: Failure) -> None:
        self._site.left(self)
        self._closing = True
        self._cancel()
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            tunnel.visitor_gone()

    def timed_out(self) -> None:
        """The deadline has passed (see wheel.py)."""
        if self.transport.sent != self._sent:
            # What the kernel took late is progress: the visitor reads, if slowly.
            self._sent = self.transport.sent
            self.deadline = self._wheel.now + self._site.timeouts.body
        elif self._blocked or self._closing:
            self._cancel()
            self.transport.abortConnection()
        elif self._body is not None:
            self._refuse(BadMessage(408, "the body did not come in time"))
        elif self._buffer:
            self._refuse(BadMessage(408, "the head did not come in time"))
        else:
            self.close()

    # --- reading requests ---

    def _advance(self, data: bytes) -> None:
        """Go as far as `data` and the answers allow."""
        self._advancing = True
        try:
            while data and not self._closing:
                if self._body is not None:
                    data = self._take_body(self._body, data)
                elif self._answering or self._blocked:
                    self._hold(data)
                    break
                else:
                    data = self._take_head(data)
        except BadMessage as why:
            self._refuse(why)
        finally:
            self._advancing = False

    def _hold(self, data: bytes) -> None:
        """Keep what was pipelined until its turn comes."""
        self._buffer += data
        if len(self._buffer) > self._site.max_header_bytes:
            self._pause()

    def _release(self) -> None:
        """The turn of the next request has come."""
        data, self._buffer = self._buffer, b""
        self._unpause()
        if data:
            self._advance(data)
        if self._ended and not self._answering:
            self.close()

    def _take_head(self, data: bytes) -> bytes:
        """Begin a request if its head is whole; what is left of `data`."""
        searched = len(self._buffer)
        if searched:
            data, self._buffer = self._buffer + data, b""
        while data.startswith(b"\r\n"):
            data, searched = data[2:], 0  # RFC 9112 §2.2: empty lines before a request
        end = head_end(data, self._site.max_header_bytes, searched)
        if end > 0:
            self._begin(read_request(data, end))
            return self._begin_exchange(data[end:])
        if data:
            check_beginning(data)
            self._buffer = data
            if not searched:
                self.deadline = self._wheel.now + self._site.timeouts.header
        return b""

    def _begin(self, head: RequestHead) -> None:
        self._head = head
        self._answering = True
        self._last = not head.keep_alive
        if not head.has_body:
            self.deadline = NEVER
            return
        limit = self._site.max_body_bytes
        if head.length is not None and head.length > limit > 0:
            raise BadMessage(413, "the body is larger than the limit")
        if head.length is None:
            self._body = ChunkedReader(400, self._site.max_header_bytes)
        else:
            self._body = LengthReader(head.length)
        self._received = self._discarded = 0
        self.deadline = self._wheel.now + self._site.timeouts.body

    def _begin_exchange(self, rest: bytes) -> bytes:
        """Apologise, or ask a member, with what is there of the body; what is left of `rest`."""
        apology = self._site.apology()
        if apology is not None:
            self._say_sorry(apology)
            return rest
        assert self._head is not None
        exchange = Exchange(self, self._site, self._head, self._body is None)
        self._exchange = exchange
        if self._body is not None and rest:
            rest = self._take_body(self._body, rest)
        exchange.start()
        return rest

    def _take_body(self, body: BodyReader, data: bytes) -> bytes:
        """Pass a piece of the body on; what is left of `data`."""
        piece = body.feed(data)
        self._received += len(piece)
        if self._received > self._site.max_body_bytes > 0:
            raise BadMessage(413, "the body is larger than the limit")
        self.deadline = self._wheel.now + self._site.timeouts.body
        if body.done:
            self._body = None
            self.deadline = NEVER if self._answering else self._idle_deadline()
        if self._exchange is not None:
            self._exchange.request_body(piece, body.done)
        else:
            self._discarded += len(data)
            if self._discarded > DISCARDED and not body.done:
                self._linger()
        return body.rest

    # --- what exchanges ask ---

    def forwarding(self, head: RequestHead) -> bytes:
        """See relay.Visitor."""
        return self._forwarding.lines(head.host)

    def connection_field(self, framed: bool) -> bytes:
        """See relay.Visitor."""
        if not framed or self._site.stopping:
            self._last = True
        if self._last:
            return _CLOSE
        assert self._head is not None
        return b"" if self._head.minor else _KEEP_ALIVE

    def send(self, data: bytes) -> None:
        """See relay.Visitor."""
        self.transport.write(data)

    def answered(self) -> None:
        """See relay.Visitor."""
        self._exchange = None
        self._answering = False
        if self._last:
            self._end_politely()
            return
        if self._body is not None or self._blocked:
            self.deadline = self._wheel.now + self._site.timeouts.body
            self._unpause()
        else:
            self.deadline = self._idle_deadline()
        if not (self._advancing or self._blocked) and (self._buffer or self._ended):
            self._release()

    def apologise(self, status: int | None) -> None:
        """See relay.Visitor."""
        self._exchange = None
        self._say_sorry(self._site.apology_for_members(status))

    def cut(self, framed: bool) -> None:
        """See relay.Visitor."""
        self._exchange = None
        if framed:
            self.close()
        else:
            self._closing = True
            self.transport.abortConnection()

    def pause_request(self) -> None:
        """See relay.Visitor."""
        self.deadline = NEVER
        self._pause()

    def resume_request(self) -> None:
        """See relay.Visitor."""
        if self._body is not None:
            self.deadline = self._wheel.now + self._site.timeouts.body
        self._unpause()

    # --- what the transport asks, as the producer of answers ---

    def pauseProducing(self) -> None:
        self._blocked = True
        self._sent = self.transport.sent
        self.deadline = self._wheel.now + self._site.timeouts.body
        if self._tunnel is not None:
            self._tunnel.pause_member()
        elif self._exchange is not None:
            self._exchange.pause_answer()

    def resumeProducing(self) -> None:
        self._blocked = False
        if self._tunnel is not None:
            self.deadline = NEVER
            self._tunnel.resume_member()
        elif self._exchange is not None:
            self.deadline = NEVER
            self._exchange.resume_answer()
        elif not self._closing:
            self.deadline = self._idle_deadline()
            self._release()

    def stopProducing(self) -> None:
        self.close()

    # --- answers of our own ---

    def _say_sorry(self, apology: ReadyApology) -> None:
        head = self._head
        assert head is not None
        if self._site.stopping:
            self._last = True
        if self._body is not None and not self._is_worth_reading(head):
            self._last = True
        keep_alive = head.minor == 0 and not self._last
        self.send(
            apology.response(self._site.now(), head.method == b"HEAD", self._last, keep_alive)
        )
        self.answered()

    def _is_worth_reading(self, head: RequestHead) -> bool:
        """Whether the rest of a body is read away to keep the connection.

        Not where the visitor waits for 100 (Continue): what it sends next can be the body or
        another request (RFC 9110 §10.1.1).
        """
        if head.expects_continue and not self._received:
            return False
        return head.length is None or head.length - self._received <= DISCARDED

    def _refuse(self, why: BadMessage) -> None:
        """Tell the visitor what was wrong, where an answer can still be given."""
        exchange = self._exchange
        answered = self._body is not None and not self._answering
        self._cancel()
        if exchange is not None and exchange.started:
            self.cut(True)
            return
        if not answered:
            head_only = self._answering and self._head is not None and self._head.method == b"HEAD"
            self.send(refusal(why.status, why.why, head_only))
        self._linger()

    # --- endings ---

    def _end_politely(self) -> None:
        if self._body is not None or self._buffer:
            self._linger()
        else:
            self.close()

    def _linger(self) -> None:
        """All is said: send FIN, and read away what the visitor still sends.

        Closing at once would make the kernel answer that with a reset, which can destroy the
        answer before it is read (RFC 9112 §9.6).
        """
        self._closing = self._lingering = True
        self._buffer = b""
        self._body = None
        self.deadline = self._wheel.now + LINGER
        if self._ended:
            self.transport.loseConnection()
        else:
            self.transport.loseWriteConnection()
            self._unpause()

    def close(self) -> None:
        """Send what waits, within limits, and close."""
        self._closing = True
        self.deadline = self._wheel.now + LINGER
        self.transport.loseConnection()

    def finish(self) -> None:
        """sorryd stops: close when the request in flight is answered, or now without one."""
        self._last = True
        if not self._answering and self._tunnel is None and not self._closing:
            self._end_politely()

    def expire(self) -> bool:
        """The site's drain is over: end what is in flight; whether there was something."""
        exchange = self._exchange
        if self._tunnel is not None:
            self.transport.abortConnection()
            return True
        if exchange is None:
            return False
        exchange.cancel()
        if exchange.started:
            self.cut(exchange.framed)
        else:
            self._exchange = None
            self._say_sorry(self._site.apology() or self._site.apology_for_members(None))
        return True

    def _cancel(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pauseProducing()

    def _unpause(self) -> None:
        if self._paused:
            self._paused = False
            if not self._ended:
                self.transport.resumeProducing()

    def _idle_deadline(self) -> float:
        return self._wheel.now + self._site.timeouts.idle

    # --- tunnels ---

    def new_tunnel(self, connection: MemberConnection) -> Tunnel:
        """See relay.Visitor."""
        return Tunnel(self, connection, self._wheel, self._site.timeouts.tunnel)

    def begin_tunnel(self, tunnel: Tunnel) -> None:
        """See relay.Visitor."""
        self._exchange = None
        self._tunnel = tunnel
        self.deadline = NEVER
        early, self._buffer = self._buffer, b""
        self._unpause()
        if early:
            tunnel.from_visitor(early)
        if self._ended:
            tunnel.visitor_ended()
