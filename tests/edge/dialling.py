"""Members on real sockets, and what connects to them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence

from OpenSSL import SSL
from tests.edge.loops import Loop, Peer
from tests.edge.scene import TIMES
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer

from sorryd.edge.connecting import SocketConnector
from sorryd.edge.member_interfaces import Connection
from sorryd.edge.member_tls import member_context
from sorryd.edge.members import Pool
from sorryd.edge.names import Names
from sorryd.edge.resolving import SystemResolver
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import TICK, Waits, Wheel
from sorryd.model import Member, MemberTls


@implementer(IHostResolution)
class Resolution:
    """One question to the resolver."""

    name = "name"

    def cancel(self) -> None:
        raise NotImplementedError


@implementer(IHostnameResolver, IReactorPluggableNameResolver)
class Resolving:
    """A resolver that answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, IResolutionReceiver]] = []

    @property
    def nameResolver(self) -> IHostnameResolver:
        return self

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        raise NotImplementedError

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self.asked.append((hostName, resolutionReceiver))
        resolution = Resolution()
        resolutionReceiver.resolutionBegan(resolution)
        return resolution

    def answers(self, *hosts: str) -> None:
        _, receiver = self.asked.pop(0)
        for host in hosts:
            receiver.addressResolved(IPv4Address("TCP", host, 0))
        receiver.resolutionComplete()


class Outcome:
    """What became of one attempt to connect."""

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.why: str | None = None

    def __call__(self, connection: Connection | None, why: str) -> None:
        assert self.why is None, "told twice"
        self.connection = connection
        self.why = why

    @property
    def is_known(self) -> bool:
        return self.why is not None


class World:
    """A loop with members to connect to, and what connects to them."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.names = Resolving()
        self.wheel = Wheel(loop, loop.seconds)
        self.wheel.start()
        self.pools: list[Pool] = []
        self._connector = SocketConnector(
            Names(SystemResolver(self.names), self.wheel),
            loop.readiness,
            self.wheel,
            TIMES.connect,
            self._context_of,
        )

    @staticmethod
    def _context_of(member: Member) -> SSL.Context:
        assert member.tls is not None
        return member_context(member.tls)

    def connect(
        self, host: str, port: int, tls: MemberTls | None = None
    ) -> tuple[Outcome, Callable[[], None]]:
        member = Member(url=f"http://{host}:{port}", host=host, port=port, tls=tls)
        pool = Pool(member, Waits(TIMES), 1000, self.wheel, self._connector, Tally())
        self.pools.append(pool)
        outcome = Outcome()
        cancel = pool.connect(outcome)
        assert not outcome.is_known, "told before connect came back"
        return outcome, cancel

    def fails(self, outcome: Outcome) -> str:
        self.loop.until(lambda: outcome.is_known)
        assert outcome.connection is None
        assert outcome.why
        return outcome.why

    def succeeds(self, outcome: Outcome) -> Connection:
        self.loop.until(lambda: outcome.is_known)
        assert outcome.connection is not None, outcome.why
        return outcome.connection

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.loop.advance(TICK)

    def end(self) -> None:
        self.loop.rest()
        for pool in self.pools:
            pool.close()
        assert len(self.wheel) == 0
        self.wheel.stop()


def accepted(loop: Loop, server: socket.socket) -> Peer:
    taken: list[socket.socket] = []

    def arrived() -> bool:
        with contextlib.suppress(BlockingIOError):
            taken.append(server.accept()[0])
        return bool(taken)

    loop.until(arrived)
    return Peer(taken[0], loop)
