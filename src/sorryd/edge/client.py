"""A visitor's connection: requests in their order, answers in theirs.

It frames requests, finds the site that each is for, and starts an exchange for it, or has it
answered by sorryd itself (receiving.py).
"""

from __future__ import annotations

from typing import Final

from twisted.python.failure import Failure

from sorryd.edge.access import DONE, End
from sorryd.edge.bad_message import BadMessage
from sorryd.edge.bodies import BodyReader, LengthReader
from sorryd.edge.interfaces import Door, Wire
from sorryd.edge.receiving import Receiver
from sorryd.edge.site import SiteEdge
from sorryd.edge.wheel import NEVER
from sorryd.policy.heads import RequestHead

AT_ONCE: Final = 8
"""Requests of one connection that are begun in one turn, where their answers need nobody else."""


class VisitorConnection(Receiver):
    """One connection of one visitor: the protocol of its transport, and producer of answers.

    It belongs to one site at a time: at first to its door's home, then to the one that the last
    request was for.
    """

    __slots__ = ("_advancing", "_door", "_forwarding", "_is_resting", "_is_secured", "_trusted")

    def __init__(self, door: Door, address: str, tls: bool) -> None:
        """`address` is the visitor's, without a port; empty where it came by a UNIX socket."""
        super().__init__(door.home)
        self._door = door
        self._address = address
        self._tls = tls
        self._advancing = self._is_resting = self._is_secured = False
        self._settle(door.home)

    def _settle(self, site: SiteEdge) -> None:
        """What the connection takes from its site."""
        self._trusted = site.trusted
        self._forwarding = site.trusted.forwarding(self._address, self._tls)
        self._is_believed = self._forwarding.is_believed
        self.client, self.is_secure = self._address, self._tls

    def forwarding(self, head: RequestHead) -> bytes:
        """See interfaces.Visitor."""
        return self._forwarding.lines(head)

    def host(self, head: RequestHead) -> bytes:
        """See interfaces.Visitor."""
        return self._forwarding.host(head)

    def _move(self, site: SiteEdge) -> None:
        """A request is for another site of this address, or its own one trusts others now."""
        if site is not self._site:
            if site.is_full:
                site.tally.turned_away += 1
                raise BadMessage(503, "too many connections")
            self._site.left(self)
            self._site = self._patience = site
            self._requests.limits = site
            site.arrived(self)
        self._settle(site)

    def _believe(self, head: RequestHead) -> None:
        """The peer is trusted: the request comes from where it says."""
        self.client = self._forwarding.client(head)
        self.is_secure = self._forwarding.is_secure(head)

    # --- what the transport tells ---

    def makeConnection(self, transport: Wire) -> None:
        self._open(transport)
        transport.registerProducer(self, True)
        self._site.arrived(self)

    def handshakeCompleted(self) -> None:
        self._is_secured = True
        self._site.tally.handshakes += 1
        super().handshakeCompleted()

    def dataReceived(self, data: bytes) -> None:
        self._site.tally.received += len(data)
        if not self._closing:
            self._advance(data)

    def readConnectionLost(self) -> None:
        """FIN: with a request complete its answer is still owed, without it nothing is."""
        self._ended = True
        if self._closing or not self._owes_answers:
            self._part()

    def connectionLost(self, reason: Failure) -> None:
        self._site.left(self)
        if self._tls and not self._is_secured:
            self._site.tally.broken_handshakes += 1
        self._closing = True
        self._gone()

    def _gone(self) -> None:
        """The visitor has left; what is in flight is for nobody."""
        self._cancel()
        if self._began is not None:
            self._note(End.VISITOR_CUT if self.code_class else End.VISITOR_LEFT)

    def _part(self) -> None:
        """Nothing is owed any more: close, and let nobody take a part of an answer for whole."""
        exchange = self._exchange
        self._gone()
        if exchange is not None and exchange.started:
            self.cut(exchange.framed, End.VISITOR_CUT)
        else:
            self.close()

    def timed_out(self) -> None:
        """The deadline has passed (see wheel.py)."""
        is_writing = self._blocked or self._closing or self._answering
        if is_writing and self._has_read_on():
            self._wait(self._site.timeouts.body)
        elif self._blocked or self._closing:
            self._cancel()
            self._note(End.VISITOR_LATE)
            self._abort()
        elif self._requests.body is not None or self._requests.ahead:
            late = BadMessage(408, "the request did not come in time")
            self._refuse(late, self._requests.ahead)
        else:
            self.close()

    # --- reading requests ---

    def _advance(self, data: bytes) -> None:
        """Go as far as `data` and the answers allow."""
        self._advancing = True
        requests = self._requests
        waited = requests.ahead
        begun = 0
        try:
            while data and not self._closing:
                if requests.body is not None:
                    data = self._take_body(requests.body, data)
                elif not (self._answering or self._blocked or self._is_resting):
                    if begun == AT_ONCE:
                        self._rest(data)
                        break
                    begun += 1
                    rest = self._take_head(data)
                    data = rest if isinstance(rest, bytes) else bytes(rest)
                    waited = b""
                else:
                    if requests.hold(data):
                        self._pause()
                    break
        except BadMessage as why:
            self._refuse(why, waited + data)
        finally:
            self._advancing = False

    def _rest(self, data: bytes) -> None:
        """Go on in the next turn: whoever pipelines must not keep others from being served."""
        self._is_resting = True
        self._requests.ahead = data
        self._pause()
        self._site.soon(self._go_on)

    def _go_on(self) -> None:
        self._is_resting = False
        if not (self._closing or self._answering or self._blocked):
            self._release()

    def _release(self) -> None:
        """The turn of the next request has come."""
        data, self._requests.ahead = self._requests.ahead, b""
        self._resume()
        if data:
            self._advance(data)
        if self._ended and not self._owes_answers:
            self._part()

    @property
    def _owes_answers(self) -> bool:
        """Whether a whole request still waits for its answer, or may be among what waits."""
        if self._requests.body is not None:
            return False
        waits = self._blocked or self._is_resting
        return self._answering or (waits and bool(self._requests.ahead))

    def _take_head(self, data: bytes) -> bytes | memoryview:
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
        if self._is_believed:
            self._believe(head)
        door = self._door
        site = door.alone or door.site_for(head.host, self.transport.server_name)
        if site.trusted is not self._trusted:  # each site has its own, until a new configuration
            self._move(site)
            if self._is_believed:
                self._believe(head)
        self.deadline = NEVER
        if head.has_body:
            self._wait(self._site.timeouts.body)
            self._requests.begin_body(head)
            # A body of tiny chunks costs most for its size.
            self.transport.read_gently(head.chunked)
        return self._begin_exchange(head, rest)

    def _take_body(self, body: BodyReader, data: bytes) -> bytes:
        """Pass a piece of the body on; what is left of `data`."""
        piece = self._requests.read_body(body, data)
        self._await()
        if self._exchange is not None:
            self._exchange.request_body(piece, body.done, body.trailers)
            if isinstance(body, LengthReader) and not body.done and (size := body.to_pour()):
                self._pour(size)
        elif self._requests.discard(len(data)):
            self._linger()
        return body.rest

    def _pour(self, size: int) -> None:
        """Let more of the body go to the member by itself."""
        if self._exchange is not None and (into := self._exchange.inlet()) is not None:
            self.transport.pour(into, size)

    def dataPassed(self, size: int) -> None:
        self._site.tally.received += size
        self._requests.passed(size)
        self._await()

    def _await(self) -> None:
        """Set the deadline for what is waited for now."""
        if self._blocked or (self._requests.body is not None and not self._paused):
            self._wait(self._site.timeouts.body)
        elif self._answering:
            self.deadline = NEVER  # the member's turn
        else:
            self._wait(self._site.timeouts.idle)

    # --- what exchanges ask: see interfaces.Visitor ---

    def answered(self) -> None:
        self._exchange = None
        self._answering = False
        self._note(DONE)
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
