"""From a member's name to a connection that can carry an exchange.

Addresses, TCP or a UNIX socket, and for ``https://`` members TLS with the member's certificate
checked against its name; all of it within `timeout_connect`.
"""

from __future__ import annotations

from collections.abc import Callable

from OpenSSL import SSL
from twisted.logger import Logger

from sorryd.edge.addresses import is_address
from sorryd.edge.descriptors import Seldom
from sorryd.edge.dialling import Dial, Target, path_of
from sorryd.edge.kernel import Socket
from sorryd.edge.member_interfaces import NewConnection
from sorryd.edge.member_tls import MemberTlsFault, sni, verify_member
from sorryd.edge.names import Name, Names
from sorryd.edge.plain_transport import PlainTransport
from sorryd.edge.readiness import Readiness
from sorryd.edge.tls import TlsFault
from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.wheel import NEVER, Wheel
from sorryd.model import Member

log = Logger()

Done = Callable[[str | None], None]


class SocketConnector:
    """Connects to members. `timeout` is in seconds: for all that a connection needs."""

    def __init__(
        self,
        names: Names,
        readiness: Readiness,
        wheel: Wheel,
        timeout: float,
        context_of: Callable[[Member], SSL.Context],
    ) -> None:
        self.names = names
        self.readiness = readiness
        self.wheel = wheel
        self.timeout = timeout
        self.context_of = context_of
        self._seldom = Seldom(lambda: wheel.now)

    def take(self, member: Member) -> Name | None:
        """See member_interfaces.Connector."""
        if member.socket is not None or is_address(member.host):
            return None
        return self.names.take(member.host)

    def connect(self, connection: NewConnection, member: Member, done: Done) -> Callable[[], None]:
        """See member_interfaces.Connector."""
        attempt = _Attempt(self, connection, member, done)
        # Some failures are known at once; `done` must not be told of them before this returns.
        self.readiness.soon(attempt.start)
        return attempt.cancel

    def tell_exhausted(self) -> None:
        """Say in the log, once in a while, that there is no descriptor or memory left."""
        if self._seldom.is_due():
            log.error("can't connect to members: no descriptors or memory left; visitors get 503")


class _Attempt:
    """One connection in the making; calls `done` exactly once, unless it is cancelled."""

    def __init__(
        self, connector: SocketConnector, connection: NewConnection, member: Member, done: Done
    ) -> None:
        self._connector = connector
        self._connection = connection
        self._member = member
        self._done: Done | None = done
        self._transport: TlsTransport | None = None
        self._name: Name | None = None
        self._stop_waiting: Callable[[], None] | None = None
        self.deadline = until = connector.wheel.now + connector.timeout
        self._late = f"no connection within {connector.timeout:g} s"
        wheel, readiness = connector.wheel, connector.readiness
        self._dial = Dial(readiness, wheel, until, self._late, self._poor, self._dialled)

    def start(self) -> None:
        if self._done is None:
            return
        member = self._member
        self._name = self._connector.take(member)
        if self._name is not None:
            self._look_up(self._name)
        elif member.socket is not None:
            self._dial.start([path_of(member.socket)])
        else:
            self._dial.start([Target(member.host, member.port)])

    def cancel(self) -> None:
        """The exchange does not want it any more."""
        self._done = None
        self._drop()

    def timed_out(self) -> None:
        """See wheel.Timed: in the name's or the handshake's time."""
        self._fail(self._late)

    # --- steps ---

    def _look_up(self, name: Name) -> None:
        if name.addresses:
            self._begin(name)
            return
        self._connector.wheel.add(self)
        self._stop_waiting = name.wait(self._looked_up)

    def _looked_up(self) -> None:
        name, self._stop_waiting = self._name, None
        assert name is not None
        if name.addresses:
            self._begin(name)
        else:
            self._fail(f"the name {name.host}: {name.why}")

    def _begin(self, name: Name) -> None:
        self._connector.wheel.discard(self)
        self._dial.start([Target(host, self._member.port) for host in name.in_turn()])

    def _poor(self, address: str) -> None:
        if self._name is not None:
            self._name.could_not(address)

    def _dialled(self, sock: Socket | None, words: str) -> None:
        if sock is None:
            if not words:
                # It is we who can't: to rest the member for that would take down the site.
                self._connector.tell_exhausted()
            self._fail(words)
            return
        if self._name is not None:
            self._name.could(words)
        connection = self._connection
        connection.address = words
        if self._member.tls is None:
            connection.socket = sock
            self._leave()
            PlainTransport(sock, connection, self._connector.readiness).start()
            self._tell(None)
        else:
            self._connector.wheel.add(self)
            self._shake_hands(sock, self._member.tls.name or self._member.host)

    def _shake_hands(self, sock: Socket, name: str) -> None:
        connection = self._connection
        try:
            server_name = sni(name)
            context = self._connector.context_of(self._member)
        except UnicodeError:
            sock.close()
            self._fail(f"{name} is no name that TLS can send")
            return
        except TlsFault as fault:
            sock.close()
            self._fail(str(fault))
            return
        tls = SSL.Connection(context, sock)  # type: ignore[arg-type]  # only asks its number
        tls.set_connect_state()
        if server_name is not None:
            tls.set_tlsext_host_name(server_name)
        if connection.resumption is not None:
            connection.resumption.offer(tls)
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
        self._leave()
        self._tell(None)

    def _handshake_failed(self) -> None:
        if self._connection.resumption is not None:
            self._connection.resumption.forget()
        reason = self._transport.failure if self._transport is not None else ""
        self._fail(f"TLS handshake failed: {reason or 'the connection was closed'}")

    # --- endings ---

    def _leave(self) -> None:
        """What was needed to get here is needed no more."""
        self._connector.wheel.discard(self)
        self.deadline = NEVER
        name, self._name = self._name, None
        if name is not None:
            name.leave()

    def _fail(self, why: str) -> None:
        self._drop()
        self._tell(why)

    def _drop(self) -> None:
        if self._stop_waiting is not None:
            self._stop_waiting()
            self._stop_waiting = None
        self._leave()
        self._dial.cancel()
        self._connection.on_lost = None
        if self._transport is not None:
            self._transport.abortConnection()
            self._transport = None

    def _tell(self, why: str | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(why)
