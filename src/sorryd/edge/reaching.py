"""How members are reached: their names, their TLS, and the time-outs of all that."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime

from sorryd.edge.connecting import SocketConnector
from sorryd.edge.member_contexts import MemberContexts
from sorryd.edge.names import Names
from sorryd.edge.readiness import Readiness
from sorryd.edge.resolving import Resolver
from sorryd.edge.wheel import Wheel
from sorryd.model import Member


class Reaching:
    """One per process; an edge has it, and so has whoever else connects to members."""

    def __init__(
        self,
        reactor: IReactorTime,
        resolver: Resolver,
        readiness: Readiness,
        moment: Callable[[], float],
    ) -> None:
        self.wheel = Wheel(reactor, moment)
        self._readiness = readiness
        self._names = Names(resolver, self.wheel)
        self._contexts = MemberContexts()

    def connector(self, timeout: float) -> SocketConnector:
        """What connects to members within `timeout` seconds."""
        return SocketConnector(self._names, self._readiness, self.wheel, timeout, self._contexts.of)

    def renew(self, members: Iterable[Member]) -> None:
        """Read anew what `members` must show."""
        self._contexts.renew(members)
