"""What the members' side of the edge asks of each other: an exchange, pools, connections.

Exchange - Pool - Connector
         - Connection - member's transport
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import TYPE_CHECKING, Protocol

from sorryd.edge.answers import AnswerReader
from sorryd.edge.heads import RequestHead
from sorryd.edge.interfaces import EdgeProtocol, Exchange, Wire
from sorryd.edge.kernel import Socket
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Timed, Wheel
from sorryd.model import Member, Timeouts

if TYPE_CHECKING:
    from sorryd.edge.member_tls import Resumption


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


class NewConnection(EdgeProtocol, Protocol):
    """A connection to a member while it is being made."""

    on_handshake: Callable[[], None] | None
    on_lost: Callable[[], None] | None
    socket: Socket | None
    address: str  # the literal that it goes to, or the path of a UNIX socket

    @property
    def resumption(self) -> Resumption | None:
        """The TLS session that may be gone on with; None: there is no such thing."""


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


class Pool(Protocol):
    """The connections to one member: see members.py."""

    member: Member
    timeouts: Timeouts
    head_limit: int
    answers: AnswerReader
    wheel: Wheel
    authority: bytes
    prefix: bytes  # put before every target
    limit: int  # most exchanges at once; 0: no limit
    active: int  # exchanges at this member
    trying: int  # ... that began while it was on trial
    on_trial: bool
    worker: int  # the number by which we may try it; 0: nobody has to ask
    is_up: bool
    resumption: Resumption | None
    tally: Tally

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


class Rewriting(Protocol):
    """See policy/locations.py."""

    def rewrite(
        self, lines: list[bytes], at: Sequence[int], secure: bool, host: bytes
    ) -> list[bytes]:
        """`lines`, of which those `at` may be changed."""


class QueueFull(Exception):
    """As many requests wait for members as may."""


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

    def tried(self, pool: Pool, begins: bool) -> None:
        """The trial of a member begins, or is over without a verdict."""

    def wait(
        self,
        tried: tuple[Pool, ...],
        head: RequestHead,
        client: str,
        go: Callable[[Pool], None],
        late: Callable[[], None],
    ) -> Callable[[], None] | None:
        """Wait for a member, where `pick` gave None. Returns what cancels it.

        None: nobody is merely full. `go` is told the member that takes the request, `late` that
        none did in time; not before this has returned. Raises QueueFull.
        """

    def freed(self, pool: Pool) -> None:
        """A member that was full, or on trial, may have room again."""
