"""Where the admin listener is: one address, or none; it can be moved while sorryd runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger

from sorryd.edge.listener import ListenFault, bind, spell
from sorryd.model import Listen

log = Logger()

Address = tuple[str, int]


class Held:
    """A socket that listens at an address; nobody is answered there yet."""

    def __init__(self, address: Address) -> None:
        """Raises ListenFault."""
        host, port = self.address = address
        try:
            self.sock = bind(Listen(host=host, port=port))
        except ListenFault as why:
            raise ListenFault(f"admin: {why}") from None


class AdminPort:
    """Mutable. `factory` makes what listens; it is first called where there is an address."""

    def __init__(self, reactor: Any, factory: Callable[[], IProtocolFactory]) -> None:
        self._reactor = reactor
        self._factory = factory
        self._made: IProtocolFactory | None = None
        self._held: Held | None = None  # the one in use
        self._port: IListeningPort | None = None

    def bind(self, address: Address | None) -> Held | None:
        """A socket for `address`: that in use where it is the same. Raises ListenFault."""
        if address is None:
            return None
        if self._held is not None and self._held.address == address:
            return self._held
        return Held(address)

    def drop(self, held: Held | None) -> None:
        """It is not wanted; the one in use stays."""
        if held is not None and held is not self._held:
            held.sock.close()

    def use(self, held: Held | None) -> None:
        """Answer there from now on, and nowhere else."""
        if held is self._held:
            return
        before, self._port, self._held = self._port, None, held
        if held is not None:
            self._listen(held)
        if before is not None:
            before.stopListening()

    def _listen(self, held: Held) -> None:
        if self._made is None:
            self._made = self._factory()
        with held.sock as sock:  # adopted: a duplicate of it, in the hands of the reactor
            port = self._reactor.adoptStreamPort(sock.fileno(), sock.family, self._made)
        self._port = port
        at = port.getHost()
        log.info("numbers are told at http://{where}/", where=spell(at.host, at.port))

    def stop(self) -> Deferred[None]:
        """Answer nobody any more."""
        port, self._port, self._held = self._port, None, None
        if port is None:
            return succeed(None)
        over: Deferred[None] = Deferred.fromCoroutine(_stopped(port))
        return over


async def _stopped(port: IListeningPort) -> None:
    waiting = port.stopListening()
    if waiting is not None:
        await waiting
