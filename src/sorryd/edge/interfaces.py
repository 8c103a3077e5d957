"""What the parts of the edge ask of each other.

visitor's transport - VisitorConnection - Exchange - MemberConnection - member's transport

What each request passes is an abstract class rather than a typing.Protocol: through a class
compiled code calls as C does, through a Protocol as Python does, which costs ten times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from twisted.python.failure import Failure

from sorryd.edge.access import End, Record
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Timed
from sorryd.policy.heads import RequestHead, ResponseHead

if TYPE_CHECKING:
    from sorryd.edge.site import SiteEdge


class Producer(Protocol):
    """Twisted's IPushProducer as a type: classes of the data path say nothing to zope.interface,
    whose decorators would keep them from being compiled."""

    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...


class Wire:
    """What the protocols of the edge ask of their transport; StringTransport's shape.

    `server_name` is the name that a visitor asked for by SNI, in lower case. `sent` grows as the
    peer takes what had to wait.
    """

    __slots__ = ("sent",)

    sent: int
    server_name: bytes | None

    def write(self, data: bytes) -> None:
        """Send it, at once or later."""
        raise NotImplementedError

    def writeSequence(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Send them one after the other."""
        self.write(b"".join(pieces))

    def progress(self) -> int:
        """Changes as the peer takes what waits for it."""
        raise NotImplementedError

    def pour(self, into: Wire, size: int) -> None:
        """Give the next `size` bytes to another wire: the protocol is told by `dataPassed`.

        It is a wish. Whatever comes may still come to the protocol, and the wish is over then.
        """

    def read_gently(self, gently: bool) -> None:
        """Read little at once, or as much as comes."""
        raise NotImplementedError

    def loseConnection(self) -> None:
        """Send what waits, then close."""
        raise NotImplementedError

    def abortConnection(self) -> None:
        """Drop all, and reset the connection."""
        raise NotImplementedError

    def loseWriteConnection(self) -> None:
        """Send what waits, then FIN."""
        raise NotImplementedError

    def pauseProducing(self) -> None:
        """Read no more for now."""
        raise NotImplementedError

    def resumeProducing(self) -> None:
        """Read on."""
        raise NotImplementedError

    def registerProducer(self, producer: Producer, streaming: bool) -> None:
        """Say whom to pause while the peer does not keep up."""
        raise NotImplementedError

    def become(self, end: TunnelEnd) -> None:
        """Speak another protocol from now on, which is the producer, too."""
        raise NotImplementedError


class EdgeProtocol:
    """What a transport calls: IProtocol, IHalfCloseableProtocol and IHandshakeListener in one."""

    __slots__ = ()

    def makeConnection(self, transport: Wire) -> None:
        """It begins."""
        raise NotImplementedError

    def dataReceived(self, data: bytes) -> None:
        """Bytes came."""
        raise NotImplementedError

    def dataPassed(self, size: int) -> None:
        """So many bytes went where they were to be poured: see Wire.pour."""
        raise NotImplementedError

    def handshakeCompleted(self) -> None:
        """TLS is established."""
        raise NotImplementedError

    def readConnectionLost(self) -> None:
        """FIN came."""
        raise NotImplementedError

    def connectionLost(self, reason: Failure) -> None:
        """It is over."""
        raise NotImplementedError


class TunnelEnd(EdgeProtocol):
    """A protocol and producer that takes a transport over: see tunnel.py."""

    __slots__ = ()

    def pauseProducing(self) -> None:
        """The peer does not take what is sent to it."""
        raise NotImplementedError

    def resumeProducing(self) -> None:
        """It does again."""
        raise NotImplementedError

    def stopProducing(self) -> None:
        """Nobody will take it any more."""
        raise NotImplementedError


class Exchange:
    """What a member's connection tells the exchange that it carries."""

    __slots__ = ("bodiless", "request_done", "trailers")

    bodiless: bool  # the answer to HEAD has no body
    request_done: bool  # all of the request was sent
    trailers: bytes  # of the answer, set before its last piece

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        """The final head, and the body so far."""
        raise NotImplementedError

    def answer_body(self, piece: bytes, done: bool) -> None:
        """More of the body; `done` is true exactly once."""
        raise NotImplementedError

    def outlet(self) -> Wire | None:
        """Where more of the body may go by itself; None where it must come here."""
        raise NotImplementedError

    def answer_passed(self, size: int) -> None:
        """So many bytes of the body went there."""
        raise NotImplementedError

    def informational(self, head: ResponseHead) -> None:
        """A 1xx other than 101."""
        raise NotImplementedError

    def switched(self, head: ResponseHead, rest: bytes) -> None:
        """A 101: what follows is no HTTP any more."""
        raise NotImplementedError

    def member_lost(self, why: str, silent: bool) -> None:
        """The connection ended before the answer did; `silent`: without a byte of it."""
        raise NotImplementedError

    def member_broke(self, why: str) -> None:
        """The answer can't be trusted."""
        raise NotImplementedError

    def member_late(self) -> None:
        """Nothing came for as long as the time-outs allow."""
        raise NotImplementedError

    def pause_request(self) -> None:
        """The member does not take what is sent to it."""
        raise NotImplementedError

    def resume_request(self) -> None:
        """It does again."""
        raise NotImplementedError


class Answering(Protocol):
    """What a visitor's connection asks of what answers its request: an exchange, or a file."""

    started: bool  # something of the final answer went to the visitor
    framed: bool  # its end is told by its head; else by the end of the connection

    def request_body(self, piece: bytes, done: bool, trailers: bytes = b"") -> None:
        """A piece of the request's body; `done` with the last one, and its trailer lines."""

    def inlet(self) -> Wire | None:
        """Where more of the request's body may go by itself; None where it must come here."""

    def pause_answer(self) -> None:
        """The visitor does not take what is sent."""

    def resume_answer(self) -> None:
        """It does again."""

    def cancel(self) -> None:
        """The visitor has gone, or its time is over: let go of everything."""


class Visitor(EdgeProtocol):
    """What an exchange asks of the visitor's connection."""

    __slots__ = ("client", "code_class", "is_secure", "record", "tally")

    client: str  # the address that the current request comes from, as believed
    is_secure: bool  # it came by https, as believed
    record: Record | None  # of the current request; None where there is no access log
    tally: Tally  # where it is counted: that of the member that was asked last
    code_class: int  # of its answer; 0: none was begun

    def send(self, data: bytes) -> None:
        """Bytes of the answer."""
        raise NotImplementedError

    def outlet(self) -> Wire:
        """Where they may go without being sent."""
        raise NotImplementedError

    def passed(self, size: int) -> None:
        """So many bytes of the answer went there."""
        raise NotImplementedError

    def forwarding(self, head: RequestHead) -> bytes:
        """The forwarding fields for a request."""
        raise NotImplementedError

    def host(self, head: RequestHead) -> bytes:
        """The host that a request asked for, as believed."""
        raise NotImplementedError

    def connection_field(self, framed: bool) -> bytes:
        """The Connection line of the answer; not `framed`: the body ends with the connection."""
        raise NotImplementedError

    def answered(self) -> None:
        """The answer is whole."""
        raise NotImplementedError

    def apologise(self, status: int | None, why: End) -> None:
        """Nothing was sent yet: say sorry. None: with the status of the site."""
        raise NotImplementedError

    def cut(self, framed: bool, why: End) -> None:
        """The answer can't be made whole."""
        raise NotImplementedError

    def pause_request(self) -> None:
        """Read no more of the request's body."""
        raise NotImplementedError

    def resume_request(self) -> None:
        """Read on."""
        raise NotImplementedError

    def begin_tunnel(
        self, member: Wire, ended: Callable[[], None], is_websocket: bool
    ) -> TunnelEnd:
        """What follows is no HTTP: join the two transports. Returns the member's end."""
        raise NotImplementedError


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
