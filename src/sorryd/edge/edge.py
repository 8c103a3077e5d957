"""The edge: listeners, sites and the time-outs that they share.

It reads the Snapshot that the control side publishes, and sends Reports up. It knows neither
the control socket nor the journal.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorTime
from twisted.logger import Logger

from sorryd.edge.client import VisitorConnection
from sorryd.edge.connecting import SocketConnector
from sorryd.edge.descriptors import most_visitors, raise_limit
from sorryd.edge.listener import Accepted, Listener
from sorryd.edge.readiness import Readiness
from sorryd.edge.site import SiteEdge
from sorryd.edge.tls import member_context
from sorryd.edge.tls_transport import TlsTransport
from sorryd.edge.transport import SocketTransport
from sorryd.edge.wheel import Wheel
from sorryd.model import (
    Listen,
    Member,
    MemberTls,
)
from sorryd.reports import (
    Active,
    Report,
)
from sorryd.snapshot import (
    SiteView,
    Snapshot,
)

log = Logger()

_FULL: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nCache-Control: no-store\r\n"
    b"Content-Type: text/plain\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
    b"too many connections\n"
)
_POLL: Final = 0.05  # seconds between two looks at what is still in flight, when stopping


class Bound:
    """A bound socket of a site, before anybody is accepted."""

    def __init__(self, site: str, listen: Listen, sock: socket.socket) -> None:
        self.site = site
        self.listen = listen
        self.sock = sock


class Edge:
    """All sites of one process."""

    def __init__(
        self,
        reactor: IReactorTime,
        names: IReactorPluggableNameResolver,
        readiness: Readiness,
        now: Callable[[], float],
        moment: Callable[[], float],
        report: Callable[[Report], None],
    ) -> None:
        self._reactor = reactor
        self._names = names
        self._readiness = readiness
        self._now = now
        self._report = report
        self._wheel = Wheel(reactor, moment)
        self._sites: dict[str, SiteEdge] = {}
        self._listeners: list[Listener] = []
        self._member_contexts: dict[MemberTls, SSL.Context] = {}
        self._stop_by = math.inf  # a moment
        self._most_visitors = 0

    # --- from the control side ---

    def apply(self, snapshot: Snapshot) -> None:
        """Serve by `snapshot` from now on."""
        for view in snapshot.sites:
            site = self._sites.get(view.site.name)
            if site is None:
                self._sites[view.site.name] = self._site(view)
            elif view != site.view:
                site.apply(view)

    def _site(self, view: SiteView) -> SiteEdge:
        connector = SocketConnector(
            self._names,
            self._readiness,
            self._wheel,
            view.site.timeouts.connect,
            self._member_context,
        )
        return SiteEdge(view, self._wheel, self._now, connector, self._report)

    def _member_context(self, member: Member) -> SSL.Context:
        assert member.tls is not None
        context = self._member_contexts.get(member.tls)
        if context is None:
            context = self._member_contexts[member.tls] = member_context(member.tls)
        return context

    def look(self) -> None:
        """Time has passed: act on what follows of it."""
        now = self._now()
        for site in self._sites.values():
            site.look(now)

    def active(self) -> Sequence[Active]:
        """Requests in flight at each member of each site."""
        return [active for site in self._sites.values() for active in site.active()]

    # --- running ---

    def start(self, bound: Iterable[Bound], contexts: Mapping[str, SSL.Context]) -> None:
        """Accept at the `bound` sockets; `contexts` by the name of the site."""
        self._wheel.start()
        raise_limit(sum(site.max_connections for site in self._sites.values()))
        self._most_visitors = most_visitors()
        for one in bound:
            accepted = self._accept_plain(self._sites[one.site])
            if one.listen.tls:
                accepted = self._accept_tls(self._sites[one.site], contexts[one.site])
            listener = Listener(one.sock, self._readiness, self._reactor, accepted, self._has_room)
            self._listeners.append(listener)
            listener.start()
            log.info(
                "site {site} listens at {scheme}://{name}",
                site=one.site, scheme="https" if one.listen.tls else "http", name=listener.name,
            )  # fmt: skip

    def _has_room(self) -> bool:
        return self._visitors() < self._most_visitors

    def _visitors(self) -> int:
        return sum(len(site.visitors) for site in self._sites.values())

    def _accept_plain(self, site: SiteEdge) -> Accepted:
        readiness = self._readiness

        def accepted(sock: socket.socket, address: str) -> None:
            if site.is_full:
                _turn_away(sock, _FULL)
                return
            SocketTransport(sock, VisitorConnection(site, address, tls=False), readiness).start()

        return accepted

    def _accept_tls(self, site: SiteEdge, context: SSL.Context) -> Accepted:
        readiness = self._readiness

        def accepted(sock: socket.socket, address: str) -> None:
            if site.is_full:
                _turn_away(sock, b"")
                return
            connection = SSL.Connection(context, sock)
            connection.set_accept_state()
            visitor = VisitorConnection(site, address, tls=True)
            TlsTransport(sock, connection, visitor, readiness).start()

        return accepted

    def stop(self, limit: float) -> Deferred[None]:
        """Accept no more; fires when all that is in flight is over, or after `limit` seconds."""
        for listener in self._listeners:
            listener.stop()
        for site in self._sites.values():
            site.stop()
        over: Deferred[None] = Deferred()
        self._stop_by = self._reactor.seconds() + limit
        self._wait(over)
        return over

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
        self._stop_by = self._reactor.seconds()

    def _wait(self, over: Deferred[None]) -> None:
        left = self._visitors()
        if left and self._reactor.seconds() < self._stop_by:
            self._reactor.callLater(_POLL, self._wait, over)
            return
        if left:
            log.warn("stopping with {left} connections still open", left=left)
            for site in self._sites.values():
                for visitor in tuple(site.visitors):
                    visitor.expire()
        for site in self._sites.values():
            site.close()
        self._wheel.stop()
        # Closing takes a turn of the loop.
        self._reactor.callLater(0, over.callback, None)


def _turn_away(sock: socket.socket, words: bytes) -> None:
    """More connections than `max_connections`: say so, where it can be said in one packet."""
    try:
        if words:
            sock.send(words)
    except OSError:
        pass  # then it learns it by the close
    finally:
        sock.close()
