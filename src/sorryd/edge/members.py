"""The kept-alive connections to one member of one site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sorryd.edge.addresses import authority
from sorryd.edge.answers import AnswerReader
from sorryd.edge.member_connection import MemberConnection
from sorryd.edge.member_interfaces import Connection, Connector
from sorryd.edge.member_interfaces import Pool as AnyPool
from sorryd.edge.member_tls import Resumption
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Waits, Wheel
from sorryd.model import Member

KEPT: Final = 256
"""Idle connections kept per member."""

KEPT_FOR: Final = 30.0
"""Seconds that one is kept idle."""

FRESH: Final = 1.0
"""Seconds for which one is taken to be open: no server gives up so soon."""


class Pool(AnyPool):
    """The connections to one member.

    `active` counts its exchanges, each exactly once; `trying` those that began while it was on
    trial. `worker` is the number by which we have, or had last, the leave to try it; 0: nobody has
    to ask. `tally` goes on where another pool of the same URL ended.
    """

    def __init__(
        self,
        member: Member,
        timeouts: Waits,
        head_limit: int,
        wheel: Wheel,
        connector: Connector,
        tally: Tally,
    ) -> None:
        self.member = member
        self.url = member.url
        self.timeouts = timeouts
        self.answers = AnswerReader(head_limit)
        self.wheel = wheel
        self.tally = tally
        self.active = 0
        self.trying = 0
        self.on_trial = False
        self.worker = 0
        self.is_up = True
        self._connector = connector
        self._idle: list[Connection] = []
        self._name = connector.take(member)
        self.resumption = Resumption(lambda: wheel.now) if member.tls else None
        self._closed = False
        self.prefix = member.path.encode()
        self.limit = member.max_connections
        self.authority = authority(member)

    @property
    def idle(self) -> int:
        """Connections that are kept."""
        return len(self._idle)

    @property
    def is_full(self) -> bool:
        """Whether the member has as many requests as it may get at once."""
        return 0 < self.limit <= self.active

    def take(self, checked: bool) -> Connection | None:
        """An idle connection, the one used last first.

        One that has rested longer than `FRESH` is looked at before: bytes that came meanwhile (the
        408 that some servers send when they give up) must not answer this request. `checked`: also
        one that was put back just now, since the request can't be sent again. What comes in the
        same moment is still not seen. Where the member's name has other addresses by now,
        connections to the old ones are closed.
        """
        name = self._name
        while self._idle:
            connection = self._idle.pop()
            current = name is None or connection.address in name.addresses
            has_rested = connection.deadline < self.wheel.now + KEPT_FOR - FRESH
            if current and (not (checked or has_rested) or connection.seems_open()):
                return connection
            connection.close()
        return None

    def connect(self, done: Callable[[Connection | None, str], None]) -> Callable[[], None]:
        """See member_interfaces.Pool."""
        connection = MemberConnection(self)
        self.tally.connects += 1

        def connected(why: str | None) -> None:
            done(connection if why is None else None, why or "")

        return self._connector.connect(connection, self.member, connected)

    def put(self, connection: Connection) -> None:
        """Keep a connection whose exchange is over."""
        if self._closed or len(self._idle) >= KEPT:
            connection.close()
            return
        if self.resumption is not None and not connection.reused:
            self.resumption.keep(connection.transport)
        connection.reused = True
        connection.deadline = self.wheel.now + KEPT_FOR
        self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """An idle connection has ended by itself."""
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """Close what is idle now, and the others as they become so."""
        if self._name is not None and not self._closed:
            self._name.leave()
        self._closed = True
        while self._idle:
            self._idle.pop().close()
