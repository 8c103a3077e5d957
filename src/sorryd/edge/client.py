"""A visitor's connection: requests in their order, answers in theirs.

It frames requests, starts an exchange for each, or answers by itself: the apology, or a short
plain refusal where a request is no good. Whatever it answers before the whole request was
read, the rest is read away within limits, so that the connection lives, or at least the answer
is not destroyed by a reset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from sorryd.edge.bodies import BodyReader
from sorryd.edge.heads import BadMessage, RequestHead
from sorryd.edge.interfaces import TunnelEnd, Wire
from sorryd.edge.line import Line
from sorryd.edge.refusals import refusal
from sorryd.edge.relay import Exchange
from sorryd.edge.requests import RequestReader
from sorryd.edge.site import SiteEdge
from sorryd.edge.tunnel import Tunnel
from sorryd.edge.wheel import NEVER
from sorryd.policy.apology import ReadyApology
from sorryd.policy.headers import Forwarding

_CLOSE: Final = b"Connection: close\r\n"
_KEEP_ALIVE: Final = b"Connection: keep-alive\r\n"


@implementer(IPushProducer)
class VisitorConnection(Line):
    """One connection of one visitor: the protocol of its transport, and producer of answers."""

    __slots__ = (
        "_advancing", "_answering", "_exchange", "_head", "_last", "_requests", "_site",
        "forwarding",
    )  # fmt: skip

    forwarding: Callable[[bytes], bytes]

    def __init__(self, site: SiteEdge, address: str, tls: bool) -> None:
        super().__init__(site)
        self._site = site
        self.forwarding = Forwarding(address, tls).lines
        self._requests = RequestReader(site)
        self._head: RequestHead | None = None
        self._exchange: Exchange | None = None
        self._answering = False  # the answer to the current request is not whole
        self._last = False  # the current answer is the connection's last
        self._advancing = False

    # --- what the transport tells ---

    def makeConnection(self, transport: Wire) -> None:
        self._open(transport)
        transport.registerProducer(self, True)
        self._site.arrived(self)

    def dataReceived(self, data: bytes) -> None:
        if not self._closing:
            self._advance(data)

    def readConnectionLost(self) -> None:
        """FIN: with a request complete its answer is still owed, without it nothing is."""
        self._ended = True
        if self._closing or self._requests.body is not None or not self._owes_answers:
            self._cancel()
            self.close()

    def connectionLost(self, reason: Failure) -> None:
        self._site.left(self)
        self._closing = True
        self._cancel()

    def timed_out(self) -> None:
        """The deadline has passed (see wheel.py)."""
        if self._has_read_on():
            self._wait(self._site.timeouts.body)
        elif self._blocked or self._closing:
            self._cancel()
            self._abort()
        elif self._requests.body is not None or self._requests.ahead:
            self._refuse(BadMessage(408, "the request did not come in time"))
        else:
            self.close()

    # --- reading requests ---

    def _advance(self, data: bytes) -> None:
        """Go as far as `data` and the answers allow."""
        self._advancing = True
        requests = self._requests
        try:
            while data and not self._closing:
                if requests.body is not None:
                    data = self._take_body(requests.body, data)
                elif not (self._answering or self._blocked):
                    data = self._take_head(data)
                else:
                    if requests.hold(data):
                        self._pause()
                    break
        except BadMessage as why:
            self._refuse(why)
        finally:
            self._advancing = False

    def _release(self) -> None:
        """The turn of the next request has come."""
        data, self._requests.ahead = self._requests.ahead, b""
        self._resume()
        if data:
            self._advance(data)
        if self._ended and not self._owes_answers:
            self.close()

    @property
    def _owes_answers(self) -> bool:
        """Whether a whole request still waits for its answer, or may be among what waits."""
        return self._answering or (self._blocked and bool(self._requests.ahead))

    def _take_head(self, data: bytes) -> bytes:
        """Begin a request if its head is whole; what is left of `data`."""
        waited = self._requests.ahead
        head, rest = self._requests.read_head(data)
        if head is None:
            if not waited:
                self._wait(self._site.timeouts.header)
            return b""
        self._head = head
        self._answering = True
        self._last = not head.keep_alive
        self.deadline = NEVER
        if head.has_body:
            self._wait(self._site.timeouts.body)
            self._requests.begin_body(head)
        return self._begin_exchange(head, rest)

    def _begin_exchange(self, head: RequestHead, rest: bytes) -> bytes:
        """Apologise, or ask a member, with what is there of the body; what is left of `rest`."""
        apology = self._site.apology()
        if apology is not None:
            self._say_sorry(apology)
            return rest
        body = self._requests.body
        exchange = self._exchange = Exchange(self, self._site, head, body is None)
        if body is not None and rest:
            rest = self._take_body(body, rest)
        exchange.start()
        return rest

    def _take_body(self, body: BodyReader, data: bytes) -> bytes:
        """Pass a piece of the body on; what is left of `data`."""
        piece = self._requests.read_body(body, data)
        self._await()
        if self._exchange is not None:
            self._exchange.request_body(piece, body.done)
        elif self._requests.discard(len(data)):
            self._linger()
        return body.rest

    def _await(self) -> None:
        """Set the deadline for what is waited for now."""
        if self._blocked or (self._requests.body is not None and not self._paused):
            self._wait(self._site.timeouts.body)
        elif self._answering:
            self.deadline = NEVER  # the member's turn
        else:
            self._wait(self._site.timeouts.idle)

    # --- what exchanges ask: see interfaces.Visitor ---

    def connection_field(self, framed: bool) -> bytes:
        head = self._head
        assert head is not None
        unread = self._requests.body is not None and not self._requests.is_worth_reading(head)
        self._last = self._last or unread or not framed or self._site.stopping
        if self._last:
            return _CLOSE
        return b"" if head.minor else _KEEP_ALIVE

    def answered(self) -> None:
        self._exchange = None
        self._answering = False
        if self._last:
            self._end_politely()
            return
        if self._requests.body is not None or self._blocked:
            self._wait(self._site.timeouts.body)
            self._resume()
        else:
            self.deadline = self._site.wheel.now + self._site.timeouts.idle
        if not (self._advancing or self._blocked) and (self._requests.ahead or self._ended):
            self._release()

    def apologise(self, status: int | None) -> None:
        self._say_sorry(self._site.apology_for_members(status))

    def cut(self, framed: bool) -> None:
        self._exchange = None
        if framed:
            self.close()
        else:
            self._abort()

    def pause_request(self) -> None:
        self._pause()
        self._await()

    def resume_request(self) -> None:
        self._resume()
        self._await()

    # --- what the transport asks, as the producer of answers ---

    def pauseProducing(self) -> None:
        self._blocked = True
        self._has_read_on()  # from here on it counts
        self._await()
        if self._exchange is not None:
            self._exchange.pause_answer()

    def resumeProducing(self) -> None:
        self._blocked = False
        if self._closing:
            return
        self._await()
        if self._exchange is not None:
            self._exchange.resume_answer()
        else:
            self._release()

    # --- answers of our own, and endings ---

    def _say_sorry(self, apology: ReadyApology) -> None:
        head = self._head
        assert head is not None
        if self._site.stopping or not self._requests.is_worth_reading(head):
            self._last = True
        keep_alive = head.minor == 0 and not self._last
        self.send(
            apology.response(self._site.now(), head.method == b"HEAD", self._last, keep_alive)
        )
        self.answered()

    def _refuse(self, why: BadMessage) -> None:
        """Tell the visitor what was wrong, where an answer can still be given."""
        exchange = self._exchange
        answered = self._requests.body is not None and not self._answering
        self._cancel()
        if exchange is not None and exchange.started:
            self.cut(exchange.framed)
            return
        if not answered:
            head_only = self._answering and self._head is not None and self._head.method == b"HEAD"
            self.send(refusal(why.status, why.why, head_only))
        self._linger()

    def _end_politely(self) -> None:
        if self._requests.body is not None or self._requests.ahead:
            self._linger()
        else:
            self.close()

    def finish(self) -> None:
        """sorryd stops: close when the request in flight is answered, or now without one."""
        self._last = True
        if not (self._answering or self._closing):
            self._end_politely()

    def expire(self) -> bool:
        """The site's drain is over: end what is in flight; whether there was something."""
        exchange = self._exchange
        if exchange is None:
            return False
        exchange.cancel()
        if exchange.started:
            self.cut(exchange.framed)
        else:
            self._say_sorry(self._site.apology() or self._site.apology_for_members(None))
        return True

    def _cancel(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()

    def begin_tunnel(self, member: Wire, ended: Callable[[], None]) -> TunnelEnd:
        self._exchange = None
        self._closing = True
        self._site.left(self)
        tunnel = Tunnel(self._site, self.transport, member, self._site.timeouts.tunnel, ended)
        self._resume()
        return tunnel.take_over(self._requests.ahead, self._ended)
