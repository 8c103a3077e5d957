"""Listening sockets: bound early, accepting in batches, closed first when sorryd stops."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from sorryd.edge.descriptors import Seldom
from sorryd.edge.kernel import Socket, accept
from sorryd.edge.pace import Pace
from sorryd.edge.readiness import Readiness
from sorryd.model import Listen
from sorryd.unix_sockets import PathTaken, bind_path

log = Logger(namespace=__name__)

BACKLOG: Final = 4096
BATCH: Final = 64  # connections accepted in one turn of the loop, by who accepts alone
REST: Final = 0.5  # seconds without accepting, when no descriptor is left

_UNPRIVILEGED: Final = 1024

_MAPPED: Final = "::ffff:"
"""Before the IPv4 address of who came by a socket for both (RFC 4291 §2.5.5.2)."""

_GONE: Final = frozenset({errno.ECONNABORTED, errno.EPROTO, errno.EPERM})

Accepted = Callable[[Socket, str], None]
"""Gets each new socket, non-blocking, and its peer's address without a port.

The address is empty where the peer came by a UNIX socket.
"""


class ListenFault(Exception):
    """An address that can't be listened at; its str is one line for a person."""


class Bound:
    """A socket that listens for some sites; nobody is accepted yet.

    `sites` are their names in the order of the file: the first is the default. The file of a UNIX
    socket is removed by whoever made it: not by us where it `is_given`, by a supervisor. `key`
    tells the socket from all others that there were, whichever process has a descriptor of it.
    Where it `is_shared`, other processes accept by it as well.
    """

    def __init__(
        self,
        listen: Listen,
        sites: tuple[str, ...],
        sock: socket.socket,
        is_given: bool = False,
        key: int = 0,
        is_shared: bool = False,
    ) -> None:
        self.listen = listen
        self.sites = sites
        self.sock = sock
        self.is_given = is_given
        self.key = key
        self.is_shared = is_shared


def bind(listen: Listen) -> socket.socket:
    """A socket that listens at `listen`, with nobody accepted yet; raises ListenFault."""
    try:
        sock = _bound(listen) if listen.path is None else bind_path(listen.path)
    except PathTaken as why:
        raise ListenFault(f"{_asked_for(listen)}: {why}") from None
    except OSError as why:
        raise ListenFault(f"{_asked_for(listen)}: {_words(why)}{_hint(why, listen)}") from None
    try:
        sock.listen(BACKLOG)
    except OSError as why:
        sock.close()
        raise ListenFault(f"{_asked_for(listen)}: {_words(why)}") from None
    return sock


def _bound(listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # Linux hands it on to every socket that is accepted: a system call less on each.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind((listen.host, listen.port))
    except OSError:
        sock.close()
        raise
    return sock


def spell(host: str, port: int) -> str:
    """An address as people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _asked_for(listen: Listen) -> str:
    return f"unix:{listen.path}" if listen.path is not None else spell(listen.host, listen.port)


def _hint(why: OSError, listen: Listen) -> str:
    """What to do about it."""
    if why.errno == errno.EACCES and 0 < listen.port < _UNPRIVILEGED:
        return f": a port below {_UNPRIVILEGED} takes CAP_NET_BIND_SERVICE, or a start as root"
    return ""


class Listener:
    """Accepts connections on one bound socket."""

    def __init__(
        self,
        sock: socket.socket,
        readiness: Readiness,
        reactor: IReactorTime,
        accepted: Accepted,
        has_room: Callable[[], bool] = lambda: True,
        pace: Pace | None = None,
    ) -> None:
        """`has_room` is asked before each accept: False lets those who come wait.

        With a `pace` others accept too: one is accepted in a turn of the loop, when it allows.
        """
        self._sock = sock
        self._readiness = readiness
        self._reactor = reactor
        self._accepted = accepted
        self._has_room = has_room
        self._pace = pace
        self._seldom = Seldom(reactor.seconds)
        self._resting: IDelayedCall | None = None
        self._takes_both = takes_both(sock)
        self._family = int(sock.family)

    @property
    def name(self) -> str:
        """Where it listens, with the port that the system chose where 0 was asked for."""
        return name_of(self._sock)

    def start(self) -> None:
        """Accept from now on."""
        self._resting = None
        self._readiness.watch_read(self._sock.fileno(), self._readable)

    def finish(self) -> None:
        """Accept all who wait, and stop. They have connected already, as far as they know."""
        if self._sock.fileno() >= 0:
            self._rest_no_more()
            self._accept(BACKLOG)
        self.stop()

    def stop(self) -> None:
        """Close the socket. Who waits to be accepted is refused, unless others have it too."""
        self._rest_no_more()
        if self._sock.fileno() >= 0:
            self._readiness.unwatch_read(self._sock.fileno())
            self._sock.close()

    def _readable(self) -> None:
        if self._pace is None:
            self._accept(BATCH)
        elif pause := self._pace.pause():
            self._look_away(pause)
        else:
            self._accept(1)

    def _accept(self, most: int) -> None:
        if not self._has_room():
            self._rest("the limit of descriptors allows no more visitors")
            return
        for _ in range(most):
            try:
                sock, address = accept(self._sock, self._family)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as why:
                if why.errno not in _GONE:
                    self._rest(_words(why))
                    return
                continue
            self._accepted(sock, address.removeprefix(_MAPPED) if self._takes_both else address)
            if self._sock.fileno() < 0 or not self._has_room():
                return

    def _rest(self, why: str) -> None:
        """Out of descriptors or memory: those that are open go on, new ones wait."""
        if self._seldom.is_due():
            log.error(
                "{name}: can't accept: {why}; it tries again every {rest} s",
                name=self.name, why=why, rest=REST,
            )  # fmt: skip
        self._look_away(REST)

    def _look_away(self, seconds: float) -> None:
        self._readiness.unwatch_read(self._sock.fileno())
        self._resting = self._reactor.callLater(seconds, self.start)

    def _rest_no_more(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None


def place_of(bound: Bound) -> str:
    """Where it is, and what is spoken there, for the log."""
    name, is_tls = name_of(bound.sock), bound.listen.tls
    if name.startswith("unix:"):
        return f"{name} (TLS)" if is_tls else name
    return f"{'https' if is_tls else 'http'}://{name}"


def name_of(sock: socket.socket) -> str:
    """Where a socket listens, as people write it."""
    if sock.family == socket.AF_UNIX:
        return f"unix:{path_of(sock)}"
    host, port = sock.getsockname()[:2]
    return spell(host, port)


def takes_both(sock: socket.socket) -> bool:
    """Whether an IPv6 socket takes IPv4 too (RFC 3493 §3.7). Ours never do."""
    is_ipv6 = sock.family == socket.AF_INET6
    return is_ipv6 and not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


def path_of(sock: socket.socket) -> str:
    """The path of a UNIX socket; ``@...`` is an abstract one (unix(7)), which is no file."""
    name = sock.getsockname()
    return name if isinstance(name, str) else "@" + name[1:].decode(errors="replace")


def _words(why: OSError) -> str:
    return os.strerror(why.errno).lower() if why.errno else str(why)
