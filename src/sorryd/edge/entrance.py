"""From an accepted socket to a visitor's connection: PROXY protocol, TLS, or a polite refusal."""

from __future__ import annotations

from typing import Final

from OpenSSL import SSL
from twisted.logger import Logger

from sorryd.edge.client import VisitorConnection
from sorryd.edge.descriptors import Seldom
from sorryd.edge.door import Door
from sorryd.edge.interfaces import EdgeProtocol
from sorryd.edge.introduction import Introduction
from sorryd.edge.kernel import Socket
from sorryd.edge.listener import Bound, Listener
from sorryd.edge.lobby import Lobby
from sorryd.edge.plain_transport import PlainTransport
from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.turned_away import FULL, MOST, TurnedAway

log = Logger(namespace=__name__)

_A_STRANGER: Final = "it is not among trusted_proxies"


class Entrance:
    """A listening socket, and the door that those who come to it find; it may be exchanged."""

    def __init__(self, bound: Bound, door: Door, lobby: Lobby) -> None:
        self.door = door
        self._lobby = lobby
        pace = lobby.pace if bound.is_shared else None
        self._listener = Listener(
            bound.sock, lobby.readiness, lobby.reactor, self.accepted, lobby.has_room, pace
        )
        self._name = self._listener.name
        self._seldom_full = Seldom(lambda: lobby.wheel.now)
        self._seldom_refused = Seldom(lambda: lobby.wheel.now)

    def start(self) -> None:
        """Let people in."""
        self._listener.start()

    def finish(self) -> None:
        """Let those in who wait, and then nobody any more."""
        self._listener.finish()

    def stop(self) -> None:
        """Let nobody in any more: the socket is closed."""
        self._listener.stop()

    def accepted(self, sock: Socket, address: str) -> None:
        """See listener.Accepted."""
        if self.door.listen.proxy:
            self._introduce(sock, address)
        else:
            self._let_in(self.door, sock, address)

    # --- the PROXY protocol ---

    def _introduce(self, sock: Socket, address: str) -> None:
        door, waiting = self.door, self._lobby.introductions
        if not door.home.trusted.believes(address):
            sock.close()
            self._tell_refused(address, _A_STRANGER)
            return

        def done(introduction: Introduction, told: str | None, why: str | None) -> None:
            waiting.discard(introduction)
            if why is None:
                self._let_in(door, sock, address if told is None else told)
            elif why:
                self._tell_refused(address, why)

        introduction = Introduction(
            sock, self._lobby.readiness, self._lobby.wheel, door.home.timeouts.header, done
        )
        waiting.add(introduction)
        introduction.start()

    def _tell_refused(self, address: str, why: str) -> None:
        if self._seldom_refused.is_due():
            log.warn(
                "{name}: {address} can't bring visitors by the PROXY protocol: {why}",
                name=self._name, address=address or "a UNIX socket's peer", why=why,
            )  # fmt: skip

    # --- visitors ---

    def _let_in(self, door: Door, sock: Socket, address: str) -> None:
        door.home.tally.accepted += 1
        if door.home.is_full:
            self._turn_away(door, sock)
            return
        self._start(door, sock, VisitorConnection(door, address, door.listen.tls))

    def _start(self, door: Door, sock: Socket, protocol: EdgeProtocol) -> None:
        if not door.listen.tls:
            PlainTransport(sock, protocol, self._lobby.readiness).start()
            return
        assert door.context is not None
        connection = SSL.Connection(door.context, sock)  # type: ignore[arg-type]  # only asks its number
        connection.set_accept_state()
        TlsTransport(sock, connection, protocol, self._lobby.readiness).start()

    def _turn_away(self, door: Door, sock: Socket) -> None:
        """More connections than `max_connections`: say so."""
        door.home.tally.turned_away += 1
        if self._seldom_full.is_due():
            log.warn(
                "{name}: site {site} is full (max_connections = {most}): visitors are turned away",
                name=self._name, site=door.home.view.site.name, most=door.home.max_connections,
            )  # fmt: skip
        turned_away = self._lobby.turned_away
        if len(turned_away) < MOST:
            visitor = TurnedAway(door.home, door.listen.tls, turned_away.discard)
            turned_away.add(visitor)
            self._start(door, sock, visitor)
            return
        try:
            if not door.listen.tls:
                sock.send(FULL)  # in one packet, or not at all
        except OSError:
            pass  # then it learns it by the close
        finally:
            sock.close()
