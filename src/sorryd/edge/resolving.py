"""Where addresses come from: the system's resolver, or a name server of the operator's choice.

Both are Twisted's. The system's (getaddrinfo, in threads of the reactor) knows the hosts file
and tells no TTL; the name server is asked by DNS alone, for A and AAAA.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Final, NamedTuple, Protocol

from twisted.internet import udp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.names import client, dns
from twisted.names.error import DNSNameError
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

TRIES: Final = (1, 2, 4)
"""Seconds to wait for each of the questions to a name server."""

LOOPBACK: Final = ("127.0.0.1", "::1")


class Found(NamedTuple):
    """The addresses of a name, and the seconds that they hold; None: nobody said."""

    addresses: tuple[str, ...]
    ttl: float | None = None


class NotFound(Exception):
    """A name without an address; its str says why, for a person."""


class Resolver(Protocol):
    """Looks names up."""

    def lookup(self, host: str) -> Deferred[Found]:
        """All addresses of `host`, at least one; fails with NotFound."""


class SystemResolver:
    """The machine's own resolver: hosts file, resolv.conf and what else it is set up with."""

    def __init__(self, reactor: IReactorPluggableNameResolver) -> None:
        self._reactor = reactor

    def lookup(self, host: str) -> Deferred[Found]:
        """See Resolver."""
        found: Deferred[Found] = Deferred()
        self._reactor.nameResolver.resolveHostName(_Receiver(found), host, 0)
        return found


@implementer(IResolutionReceiver)
class _Receiver:
    def __init__(self, found: Deferred[Found]) -> None:
        self._found = found
        self._addresses: list[str] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        pass

    def addressResolved(self, address: IAddress) -> None:
        if isinstance(address, IPv4Address | IPv6Address):
            self._addresses.append(address.host)

    def resolutionComplete(self) -> None:
        if self._addresses:
            self._found.callback(Found(tuple(dict.fromkeys(self._addresses))))
        else:
            self._found.errback(NotFound("it has no address"))


class NameServer:
    """A name server that is asked by DNS (RFC 1035), over UDP, and TCP for what is long."""

    def __init__(self, reactor: Any, address: str, port: int) -> None:
        # Without resolv= and hosts=, Twisted's would read the machine's files too.
        self._resolver = client.Resolver(
            servers=[(address, port)], timeout=TRIES, reactor=_QuietReactor(reactor)
        )

    def lookup(self, host: str) -> Deferred[Found]:
        """See Resolver. One family's failure is none where the other has addresses.

        localhost is asked of nobody (RFC 6761 §6.3).
        """
        if host.lower() == "localhost":
            return succeed(Found(LOOPBACK))
        name = host.encode("idna").decode("ascii")
        questions = (
            self._resolver.lookupAddress(name, TRIES),
            self._resolver.lookupIPV6Address(name, TRIES),
        )
        both = DeferredList(questions, consumeErrors=True)
        return both.addCallback(_found_of)


class _QuietReactor:
    """The reactor, but for what its UDP ports log: four lines for every question."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenUDP(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192
    ) -> udp.Port:
        """As IReactorUDP's."""
        quiet = _QuietPort(port, protocol, interface, maxPacketSize, self._reactor)
        quiet.startListening()
        return quiet


class _QuietPort(udp.Port):
    # An event without a text is not printed.
    _silence: Final = {"log_format": ""}

    def startListening(self) -> None:
        log.callWithContext(self._silence, super().startListening)

    def connectionLost(self, reason: Failure | None = None) -> None:
        log.callWithContext(self._silence, super().connectionLost, reason)


def resolver_of(reactor: Any, nameserver: tuple[str, int] | None) -> Resolver:
    """The name server of that address and port, else the system's resolver."""
    return SystemResolver(reactor) if nameserver is None else NameServer(reactor, *nameserver)


def _found_of(outcomes: Sequence[tuple[bool, Any]]) -> Found:
    records = [record for good, outcome in outcomes if good for record in outcome[0]]
    addresses = [
        str(ip_address(record.payload.address))
        for record in records
        if record.type in (dns.A, dns.AAAA)
    ]
    if addresses:
        ttl = min(float(record.ttl) for record in records)
        return Found(tuple(dict.fromkeys(addresses)), ttl)
    whys = [outcome for good, outcome in outcomes if not good]
    if len(whys) == len(outcomes):
        nobody = whys[0].check(DNSNameError) is not None
        raise NotFound("there is no such name" if nobody else "the name server does not answer it")
    raise NotFound("it has no address")
