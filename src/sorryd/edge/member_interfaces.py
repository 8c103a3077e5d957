"""What the members' side of the edge asks of each other: an exchange, pools, connections.

Exchange - Pool - Connector
         - Connection - member's transport
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from sorryd.edge.answers import AnswerReader
from sorryd.edge.interfaces import EdgeProtocol, Exchange, Wire
from sorryd.edge.kernel import Socket
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Patience, Waits, Wheel
from sorryd.model import Member
from sorryd.policy.heads import RequestHead

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


class NewConnection(EdgeProtocol):
    """A connection to a member while it is being made."""

    __slots__ = ("address", "on_handshake", "on_lost", "resumption", "socket")

    on_handshake: Callable[[], None] | None
    on_lost: Callable[[], None] | None
    socket: Socket | None
    address: str  # the literal that it goes to, or the path of a UNIX socket
    resumption: Resumption | None
    """The TLS session that may be gone on with; None: there is no such thing."""


class Connection(NewConnection):
    """One connection to a member, as its exchange and its pool see it."""

    __slots__ = ("deadline", "reused", "transport")

    transport: Wire
    deadline: float  # see wheel.Timed
    reused: bool

    def begin(self, exchange: Exchange, head: bytes, body: list[bytes | memoryview] | None) -> None:
        """Carry `exchange`; `head` is its head, and `body` what there is of its body."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """More of the request's body."""
        raise NotImplementedError

    def pause(self) -> None:
        """Read no more for now: the visitor does not keep up."""
        raise NotImplementedError

    def resume(self) -> None:
        """Read on."""
        raise NotImplementedError

    def abandon(self) -> None:
        """The exchange is over for its own reasons: the connection is of no more use."""
        raise NotImplementedError

    def hand_over(self) -> Wire:
        """The exchange became a tunnel, and the transport is the tunnel's."""
        raise NotImplementedError

    def close(self) -> None:
        """Close a connection without an exchange."""
        raise NotImplementedError

    def seems_open(self) -> bool:
        """Whether neither data nor an end waits to be read."""
        raise NotImplementedError


class Pool:
    """The connections to one member: see members.py."""

    __slots__ = (
        "active", "answers", "authority", "is_up", "limit", "member", "on_trial",
        "prefix", "resumption", "tally", "timeouts", "trying", "url", "wheel", "worker",
    )  # fmt: skip

    member: Member
    url: str  # the member's name
    timeouts: Waits
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
    def head_limit(self) -> int:
        """Most bytes of an answer's head, and of its trailers."""
        return self.answers.limit

    @head_limit.setter
    def head_limit(self, limit: int) -> None:
        self.answers.limit = limit

    @property
    def is_full(self) -> bool:
        """Whether `limit` is reached."""
        raise NotImplementedError

    def take(self, checked: bool) -> Connection | None:
        """An idle connection; `checked`: one that was looked at just now."""
        raise NotImplementedError

    def connect(self, done: Callable[[Connection | None, str], None]) -> Callable[[], None]:
        """A fresh connection, or None and why there is none. Returns what cancels it.

        Why is empty where the member is not to blame.
        """
        raise NotImplementedError

    def put(self, connection: Connection) -> None:
        """Keep a connection whose exchange is over."""
        raise NotImplementedError

    def forget(self, connection: Connection) -> None:
        """An idle connection has ended by itself."""
        raise NotImplementedError


class Rewriting(Protocol):
    """See policy/locations.py."""

    def rewrite(
        self, lines: list[bytes], at: Sequence[int], secure: bool, host: bytes
    ) -> list[bytes]:
        """`lines`, of which those `at` may be changed."""


class QueueFull(Exception):
    """As many requests wait for members as may."""


class Members(Patience):
    """What an exchange asks of its site: see site.py."""

    __slots__ = ("fail_on", "has_cookies", "preserve_host", "rewriting")

    preserve_host: bool
    has_cookies: bool  # answers may bind visitors to members
    fail_on: frozenset[int]  # status codes that count as a failure of the member
    rewriting: Rewriting | None  # what makes answers name the visitor's side; None: nothing does

    def cookie(self, head: RequestHead, pool: Pool, secure: bool) -> bytes:
        """The line that keeps the visitor at a member; `secure`: it came by https."""
        raise NotImplementedError

    def pick(self, tried: tuple[Pool, ...], head: RequestHead, client: str) -> Pool | None:
        """The next member for a request of a client; not one of those tried."""
        raise NotImplementedError

    def failed(self, pool: Pool, why: str) -> None:
        """A member refused a connection or broke an answer."""
        raise NotImplementedError

    def answered(self, pool: Pool) -> None:
        """A member that is not up answered."""
        raise NotImplementedError

    def tried(self, pool: Pool, begins: bool) -> None:
        """The trial of a member begins, or is over without a verdict."""
        raise NotImplementedError

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
        raise NotImplementedError

    def freed(self, pool: Pool) -> None:
        """A member that was full, or on trial, may have room again."""
        raise NotImplementedError
