"""Members in memory that are checked: who is connected to them, when, and what is found."""

from __future__ import annotations

from collections.abc import Callable

from tests.edge.wires import FakeWire
from twisted.internet.task import Clock

from sorryd.edge.member_interfaces import MemberName, NewConnection
from sorryd.edge.probe import Probe
from sorryd.model import Check, CheckKind, Member

TIMEOUT = 2.0
HEAD_LIMIT = 1000
HTTP = Check(target="/healthz", timeout=TIMEOUT)
TCP = Check(kind=CheckKind.TCP, timeout=TIMEOUT)
MEMBER = Member(url="http://a:3000", host="a", port=3000)

Done = Callable[[str | None], None]


class Call:
    """A connection that was asked for."""

    def __init__(self, street: Street, connection: NewConnection, member: Member, done: Done):
        self.member = member
        self.connection = connection
        self.is_cancelled = False
        self.wire = FakeWire(member.host, street.settle, street.bytewise)
        self._street = street
        self._done: Done | None = done

    @property
    def is_waiting(self) -> bool:
        """Nobody has said yet how it went, or wants to hear."""
        return self._done is not None and not self.is_cancelled

    @property
    def is_over(self) -> bool:
        """Nothing is left of it."""
        return self.is_cancelled or (self._done is None and self.wire.is_gone)

    def begins(self) -> FakeWire:
        """TCP is there; over TLS, hands are not shaken yet."""
        self.wire.start(self.connection)
        return self.wire

    def succeeds(self) -> FakeWire:
        """The connection can carry something."""
        if not self.wire.is_reading:
            self.begins()
        self._tell(None)
        return self.wire

    def fails(self, why: str) -> None:
        """There is none."""
        self.wire.is_gone = True
        self._tell(why)

    def _tell(self, why: str | None) -> None:
        done, self._done = self._done, None
        assert done is not None, "told twice"
        assert not self.is_cancelled, "told who went away"
        done(why)
        self._street.settle()

    def cancel(self) -> None:
        assert self._done is not None, "taken back when it was over"
        assert not self.is_cancelled, "taken back twice"
        self.is_cancelled = True


class Street:
    """Where members live; a Connector and a clock. `calls` are all that were made."""

    def __init__(self, timeout: float = 0.0, bytewise: bool = False) -> None:
        self.clock = Clock()
        self.timeout = timeout
        self.bytewise = bytewise
        self.calls: list[Call] = []
        self._is_settling = False

    def take(self, member: Member) -> MemberName | None:
        raise AssertionError("who checks takes no names")

    def connect(self, connection: NewConnection, member: Member, done: Done) -> Callable[[], None]:
        """See member_interfaces.Connector."""
        self.calls.append(Call(self, connection, member, done))
        return self.calls[-1].cancel

    def settle(self) -> None:
        """Turn until nothing more happens by itself."""
        if self._is_settling:
            return
        self._is_settling = True
        try:
            while any(call.wire.step() for call in tuple(self.calls)):
                pass
        finally:
            self._is_settling = False

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.settle()

    def end(self) -> None:
        """Nothing may be left, on the line or on the clock."""
        self.settle()
        assert all(call.is_over for call in self.calls)
        assert self.clock.getDelayedCalls() == []


class Checking:
    """A check, and what became of it."""

    def __init__(self, street: Street, check: Check) -> None:
        self.verdicts: list[str | None] = []
        self.overs = 0
        self.street = street
        self.probe = Probe(check, HEAD_LIMIT, street.clock, self.verdicts.append, self._over)
        self.probe.start(street, MEMBER)

    def _over(self) -> None:
        self.overs += 1

    @property
    def call(self) -> Call:
        (call,) = self.street.calls
        return call

    def asked(self) -> FakeWire:
        """The member has got the question."""
        wire = self.call.succeeds()
        assert wire.gets().endswith(b"\r\n\r\n")
        return wire

    def found(self, verdict: str | None) -> None:
        """It is over, and this was found."""
        self.street.settle()
        assert self.verdicts == [verdict]
        assert self.overs == 1
