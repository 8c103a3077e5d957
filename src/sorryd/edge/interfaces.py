"""What the parts of the edge ask of each other.

visitor's transport - VisitorConnection - Exchange - MemberConnection - member's transport
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence, Set
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure

from sorryd.edge.access import End, Record
from sorryd.edge.heads import RequestHead, ResponseHead
from sorryd.edge.wheel import Timed, Wheel
from sorryd.model import Member, Timeouts

if TYPE_CHECKING:
    from sorryd.edge.member_tls import Resumption
    from sorryd.edge.site import SiteEdge


class Wire(Protocol):
    """What the protocols of the edge ask of their transport; StringTransport's shape."""

    sent: int
    server_name: bytes | None
    """The name that a visitor asked for by SNI, in lower case."""

    def write(self, data: bytes, /) -> None: ...
    def loseConnection(self) -> None: ...
    def abortConnection(self) -> None: ...
    def loseWriteConnection(self) -> None: ...
    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def registerProducer(self, producer: IPushProducer, streaming: bool, /) -> None: ...
    def become(self, end: TunnelEnd, /) -> None: ...


class EdgeProtocol(Protocol):
    """What a transport calls: IProtocol, IHalfCloseableProtocol and IHandshakeListener in one."""

    def makeConnection(self, transport: Wire, /) -> None: ...
    def dataReceived(self, data: bytes, /) -> None: ...
    def handshakeCompleted(self) -> None: ...
    def readConnectionLost(self) -> None: ...
    def connectionLost(self, reason: Failure, /) -> None: ...


class TunnelEnd(EdgeProtocol, Protocol):
    """A protocol and producer that takes a transport over: see tunnel.py."""

    def pauseProducing(self) -> None: ...
    def resumeProducing(self) -> None: ...
    def stopProducing(self) -> None: ...


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


class Visitor(Protocol):
    """What an exchange asks of the visitor's connection."""

    send: Callable[[bytes], None]  # bytes of the answer
    forwarding: Callable[[RequestHead], bytes]  # the forwarding fields for a request
    host: Callable[[RequestHead], bytes]  # the one that a request asked for, as believed
    client: str  # the address that the current request comes from, as believed
    is_secure: bool  # it came by https, as believed
    record: Record | None  # of the current request; None where there is no access log

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

    def begin_tunnel(self, member: Wire, ended: Callable[[], None]) -> TunnelEnd:
        """What follows is no HTTP: join the two transports. Returns the member's end."""


class Pool(Protocol):
    """The connections to one member: see members.py."""

    member: Member
    timeouts: Timeouts
    head_limit: int
    wheel: Wheel
    authority: bytes
    prefix: bytes  # put before every target
    limit: int  # most exchanges at once; 0: no limit
    active: int  # exchanges at this member
    trying: int  # ... that began while it was on trial
    on_trial: bool
    is_up: bool
    resumption: Resumption | None

    @property
    def is_full(self) -> bool:
        """Whether `limit` is reached."""

    def take(self, checked: bool) -> Connection | None:
        """An idle connection; `checked`: one that was looked at just now."""

    def connect(self, done: Callable[[Connection | None, str], None]) -> Callable[[], None]:
        """A fresh connection, or None and why there is none. Returns what cancels it.

        Why is empty where the member is not to blame.
        """

    def put(self, connection: Connection, /) -> None:
        """Keep a connection whose exchange is over."""

    def forget(self, connection: Connection, /) -> None:
        """An idle connection has ended by itself."""


class Connection(Timed, Protocol):
    """One connection to a member, as its exchange and its pool see it."""

    transport: Wire
    reused: bool
    address: str  # where it goes

    def begin(self, exchange: Exchange, data: bytes) -> None:
        """Carry `exchange`; `data` is its head and what there is of its body."""

    def send(self, data: bytes) -> None:
        """More of the request's body."""

    def pause(self) -> None:
        """Read no more for now: the visitor does not keep up."""

    def resume(self) -> None:
        """Read on."""

    def abandon(self) -> None:
        """The exchange is over for its own reasons: the connection is of no more use."""

    def hand_over(self) -> Wire:
        """The exchange became a tunnel, and the transport is the tunnel's."""

    def close(self) -> None:
        """Close a connection without an exchange."""

    def seems_open(self) -> bool:
        """Whether neither data nor an end waits to be read."""


class Guest(Timed, Protocol):
    """What a site keeps of each visitor's connection."""

    def expire(self) -> bool:
        """The site's drain is over: end what is in flight; whether there was something."""

    def finish(self) -> None:
        """sorryd stops: close as soon as nothing is in flight."""


class Door(Protocol):
    """Where visitors come in: see door.py."""

    home: SiteEdge  # before a request is read

    def site_for(self, host: bytes, server_name: bytes | None) -> SiteEdge:
        """The site that a request is for. Raises BadMessage 421."""


class Members(Protocol):
    """What an exchange asks of its site: see site.py."""

    preserve_host: bool
    cookie: Callable[[RequestHead, Pool, bool], bytes] | None
    """The line that keeps the visitor at a member; told whether it came by https."""

    @property
    def fail_on(self) -> Set[int]:
        """Status codes that count as a failure of the member."""

    @property
    def rewriting(self) -> Rewriting | None:
        """What makes answers name the visitor's side; None: nothing does."""

    def pick(self, tried: tuple[Pool, ...], head: RequestHead, client: str, /) -> Pool | None:
        """The next member for a request of a client; not one of those tried."""

    def failed(self, pool: Pool, why: str) -> None:
        """A member refused a connection or broke an answer."""

    def answered(self, pool: Pool) -> None:
        """A member that is not up answered."""

    def wait(
        self,
        tried: tuple[Pool, ...],
        head: RequestHead,
        client: str,
        go: Callable[[Pool], None],
        late: Callable[[], None],
    ) -> Callable[[], None] | None:
        """Wait for a member, where `pick` gave None. Returns what cancels it.

        None: nobody is merely full, or too many wait already. `go` is told the member that
        takes the request, `late` that none did in time; not before this has returned.
        """

    def freed(self, pool: Pool) -> None:
        """A member with a limit has one request less."""


class Rewriting(Protocol):
    """See policy/locations.py."""

    def rewrite(
        self, lines: list[bytes], at: Sequence[int], secure: bool, host: bytes
    ) -> list[bytes]:
        """`lines`, of which those `at` may be changed."""


class NewConnection(EdgeProtocol, Protocol):
    """A connection to a member while it is being made."""

    on_handshake: Callable[[], None] | None
    on_lost: Callable[[], None] | None
    socket: socket.socket | None
    address: str  # the literal that it goes to, or the path of a UNIX socket

    @property
    def resumption(self) -> Resumption | None:
        """The TLS session that may be gone on with; None: there is no such thing."""


class MemberName(Protocol):
    """A member's name, as it is known now: see names.py."""

    addresses: tuple[str, ...]

    def leave(self) -> None:
        """The member is gone."""


class Connector(Protocol):
    """Makes connections: see connecting.py. `timeout` is in seconds."""

    timeout: float

    def take(self, member: Member) -> MemberName | None:
        """The member will be connected to: until `leave` its name is kept fresh, if it has one."""

    def connect(
        self, connection: NewConnection, member: Member, done: Callable[[str | None], None]
    ) -> Callable[[], None]:
        """Connect; `done` gets None or why it failed, later. Returns what cancels it.

        An empty why: sorryd itself has no descriptor or memory left for it.
        """
