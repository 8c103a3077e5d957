"""What the parts of the edge ask of each other.

visitor's transport - VisitorConnection - Exchange - MemberConnection - member's transport
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.python.failure import Failure

from sorryd.edge.access import End, Record
from sorryd.edge.heads import RequestHead, ResponseHead
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Timed

if TYPE_CHECKING:
    from sorryd.edge.site import SiteEdge


class Producer(Protocol):
    """Twisted's IPushProducer as a type: classes of the data path say nothing to zope.interface,
    whose decorators would keep them from being compiled."""

    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...


class Wire(Protocol):
    """What the protocols of the edge ask of their transport; StringTransport's shape."""

    sent: int
    server_name: bytes | None
    """The name that a visitor asked for by SNI, in lower case."""

    def write(self, data: bytes, /) -> None: ...
    def progress(self) -> int: ...
    def read_gently(self, gently: bool, /) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def loseWriteConnection(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def registerProducer(self, producer: Producer, streaming: bool, /) -> None: ...
    def become(self, end: TunnelEnd, /) -> None: ...


class EdgeProtocol(Protocol):
    """What a transport calls: IProtocol, IHalfCloseableProtocol and IHandshakeListener in one."""

    def makeConnection(self, transport: Wire, /) -> None: ...
    def dataReceived(self, data: bytes, /) -> None: ...
    def handshakeCompleted(self) -> None: ...
    def readConnectionLost(self) -> None: ...
    def connectionLost(self, reason: Failure, /) -> None: ...


class TunnelEnd(EdgeProtocol, Producer, Protocol):
    """A protocol and producer that takes a transport over: see tunnel.py."""


class Exchange(Protocol):
    """What a member's connection tells the exchange that it carries."""

    bodiless: bool  # the answer to HEAD has no body
    request_done: bool  # all of the request was sent
    trailers: bytes  # of the answer, set before its last piece

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        """The final head, and the body so far."""

    def answer_body(self, piece: bytes, done: bool) -> None:
        """More of the body; `done` is true exactly once."""

    def informational(self, head: ResponseHead) -> None:
        """A 1xx other than 101."""

    def switched(self, head: ResponseHead, rest: bytes) -> None:
        """A 101: what follows is no HTTP any more."""

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


class Answering(Protocol):
    """What a visitor's connection asks of what answers its request: an exchange, or a file."""

    started: bool  # something of the final answer went to the visitor
    framed: bool  # its end is told by its head; else by the end of the connection

    def request_body(self, piece: bytes, done: bool, trailers: bytes = b"") -> None:
        """A piece of the request's body; `done` with the last one, and its trailer lines."""

    def pause_answer(self) -> None:
        """The visitor does not take what is sent."""

    def resume_answer(self) -> None:
        """It does again."""

    def cancel(self) -> None:
        """The visitor has gone, or its time is over: let go of everything."""


class Visitor(Protocol):
    """What an exchange asks of the visitor's connection."""

    send: Callable[[bytes], None]  # bytes of the answer
    forwarding: Callable[[RequestHead], bytes]  # the forwarding fields for a request
    host: Callable[[RequestHead], bytes]  # the one that a request asked for, as believed
    client: str  # the address that the current request comes from, as believed
    is_secure: bool  # it came by https, as believed
    record: Record | None  # of the current request; None where there is no access log
    tally: Tally  # where it is counted: that of the member that was asked last
    code_class: int  # of its answer; 0: none was begun

    def connection_field(self, framed: bool) -> bytes:
        """The Connection line of the answer; not `framed`: the body ends with the connection."""

    def answered(self) -> None:
        """The answer is whole."""

    def apologise(self, status: int | None, why: End) -> None:
        """Nothing was sent yet: say sorry. None: with the status of the site."""

    def cut(self, framed: bool, why: End) -> None:
        """The answer can't be made whole."""

    def pause_request(self) -> None:
        """Read no more of the request's body."""

    def resume_request(self) -> None:
        """Read on."""

    def begin_tunnel(
        self, member: Wire, ended: Callable[[], None], is_websocket: bool
    ) -> TunnelEnd:
        """What follows is no HTTP: join the two transports. Returns the member's end."""


class Guest(Timed, Protocol):
    """What a site keeps of each visitor's connection."""

    def expire(self) -> bool:
        """A drain is over: end what is in flight, if it is not spared; whether it was ended."""

    def finish(self) -> None:
        """sorryd stops: close as soon as nothing is in flight."""


class Door(Protocol):
    """Where visitors come in: see door.py."""

    home: SiteEdge  # before a request is read

    @property
    def alone(self) -> SiteEdge | None:
        """The only site, where there is no other."""

    def site_for(self, host: bytes, server_name: bytes | None) -> SiteEdge:
        """The site that a request is for. Raises BadMessage 421."""
