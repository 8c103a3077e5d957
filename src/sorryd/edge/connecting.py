"""From a member's name to a connection that can carry an exchange.

Name, address, TCP, and for ``https://`` members TLS with the member's certificate checked
against its name; all of it within `timeout_connect`. Addresses are tried one after the other.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Sequence

from OpenSSL import SSL
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.logger import Logger
from zope.interface import implementer

from sorryd.edge.addresses import is_address
from sorryd.edge.descriptors import EXHAUSTED, Seldom, is_spare
from sorryd.edge.interfaces import NewConnection
from sorryd.edge.readiness import Readiness
from sorryd.edge.tls import MemberTlsFault, sni, verify_member
from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.transport import SocketTransport
from sorryd.edge.wheel import NEVER, Wheel
from sorryd.model import Member

log = Logger()

Done = Callable[[str | None], None]


class SocketConnector:
    """Connects to members over TCP."""

    def __init__(
        self,
        reactor: IReactorPluggableNameResolver,
        readiness: Readiness,
        wheel: Wheel,
        timeout: float,
        context_of: Callable[[Member], SSL.Context],
    ) -> None:
        self.reactor = reactor
        self.readiness = readiness
        self.wheel = wheel
        self.timeout = timeout
        self.context_of = context_of
        self._seldom = Seldom(lambda: wheel.now)

    def connect(self, connection: NewConnection, member: Member, done: Done) -> Callable[[], None]:
        """See interfaces.Connector."""
        attempt = _Attempt(self, connection, member, done)
        # Some failures are known at once; `done` must not be told of them before this returns.
        self.readiness.soon(attempt.start)
        return attempt.cancel

    def tell_exhausted(self) -> None:
        """Say in the log, once in a while, that there is no descriptor or memory left."""
        if self._seldom.is_due():
            log.error("can't connect to members: no descriptors or memory left; visitors get 503")


@implementer(IResolutionReceiver)
class _Addresses:
    """Collects what the resolver finds."""

    def __init__(self, done: Callable[[list[str]], None]) -> None:
        self._found: list[str] = []
        self._done = done

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        pass

    def addressResolved(self, address: IAddress) -> None:
        if isinstance(address, IPv4Address | IPv6Address):
            self._found.append(address.host)

    def resolutionComplete(self) -> None:
        self._done(self._found)


class _Attempt:
    """One connection in the making; calls `done` exactly once, unless it is cancelled."""

    def __init__(
        self, connector: SocketConnector, connection: NewConnection, member: Member, done: Done
    ) -> None:
        self._connector = connector
        self._connection = connection
        self._member = member
        self._done: Done | None = done
        self._sock: socket.socket | None = None
        self._transport: TlsTransport | None = None
        self._addresses: list[str] = []
        self._why = ""
        self.deadline = connector.wheel.now + connector.timeout

    def start(self) -> None:
        if self._done is None:
            return
        self._connector.wheel.add(self)
        host = self._member.host
        if is_address(host):
            self._resolved([host])
        else:
            resolver = self._connector.reactor.nameResolver
            resolver.resolveHostName(
                _Addresses(self._resolved), host, self._member.port
            )  # its threads are the reactor's

    def cancel(self) -> None:
        """The exchange does not want it any more."""
        self._done = None
        self._drop()

    def timed_out(self) -> None:
        self._fail(f"no connection within {self._connector.timeout:g} s")

    # --- steps ---

    def _resolved(self, addresses: Sequence[str]) -> None:
        if self._done is None:
            return
        self._addresses = list(addresses)
        self._why = f"the name {self._member.host} has no address"
        self._try_next()

    def _try_next(self) -> None:
        while self._addresses:
            host = self._addresses.pop(0)
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            try:
                sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            except OSError as why:
                if why.errno in EXHAUSTED:
                    self._exhausted()
                    return
                self._why = _words(why.errno)
                continue
            if is_spare(sock.fileno()):
                sock.close()
                self._exhausted()
                return
            code = sock.connect_ex((host, self._member.port))
            if code == errno.EINPROGRESS:
                self._sock = sock
                self._connector.readiness.watch_write(sock.fileno(), self._writable)
                return
            if code == 0:
                self._sock = sock
                self._connected()
                return
            sock.close()
            self._why = _words(code)
        self._fail(self._why)

    def _exhausted(self) -> None:
        """It is we who can't: to rest the member for that would take down the site."""
        self._connector.tell_exhausted()
        self._fail("")

    def _writable(self) -> None:
        sock = self._sock
        assert sock is not None
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0 and not _has_peer(sock):
            return  # woken for what its number was before (see readiness.py)
        self._connector.readiness.unwatch_write(sock.fileno())
        if code == 0:
            self._connected()
            return
        sock.close()
        self._sock = None
        self._why = _words(code)
        self._try_next()

    def _connected(self) -> None:
        sock, connection = self._sock, self._connection
        assert sock is not None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._member.tls is None:
            connection.socket = sock
            self._succeed()
            SocketTransport(sock, connection, self._connector.readiness).start()
            self._tell(None)
            return
        name = self._member.tls.name or self._member.host
        try:
            server_name = sni(name)
        except UnicodeError:
            self._fail(f"{name} is no name that TLS can send")
            return
        tls = SSL.Connection(self._connector.context_of(self._member), sock)
        tls.set_connect_state()
        if server_name is not None:
            tls.set_tlsext_host_name(server_name)
        connection.on_handshake = self._handshaken
        connection.on_lost = self._handshake_failed
        self._transport = TlsTransport(sock, tls, connection, self._connector.readiness)
        self._transport.start()

    def _handshaken(self) -> None:
        transport, options = self._transport, self._member.tls
        assert transport is not None
        assert options is not None
        if options.verify:
            try:
                verify_member(transport.tls, options.name or self._member.host)
            except MemberTlsFault as why:
                self._fail(str(why))
                return
        self._connection.on_lost = None
        self._succeed()
        self._tell(None)

    def _handshake_failed(self) -> None:
        reason = self._transport.failure if self._transport is not None else ""
        self._fail(f"TLS handshake failed: {reason or 'the connection was closed'}")

    # --- endings ---

    def _succeed(self) -> None:
        self._connector.wheel.discard(self)
        self.deadline = NEVER

    def _fail(self, why: str) -> None:
        self._drop()
        self._tell(why)

    def _drop(self) -> None:
        self._succeed()
        self._connection.on_lost = None
        if self._transport is not None:
            self._transport.abortConnection()
        elif self._sock is not None:
            self._connector.readiness.unwatch_write(self._sock.fileno())
            self._sock.close()
        self._sock = None
        self._transport = None

    def _tell(self, why: str | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(why)


def _has_peer(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


def _words(code: int | None) -> str:
    return os.strerror(code).lower() if code else "unknown error"
