"""A whole edge on real sockets, with sites that are all down: their pages say which one it is."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from msgspec.structs import replace
from tests.edge.loops import PATIENCE, Loop
from tests.edge.scene import NOON, PAGE, window
from twisted.internet.defer import Deferred

from sorryd.edge.certificates import SiteCertificates
from sorryd.edge.edge import Edge
from sorryd.edge.listener import Bound, bind
from sorryd.edge.resolving import Found
from sorryd.model import Listen, Member, PageSource, Site, Timeouts
from sorryd.reports import Report
from sorryd.snapshot import MemberView, SiteView, Snapshot

T = TypeVar("T")

REQUEST = b"GET / HTTP/1.1\r\nHost: %b\r\nAccept: text/html\r\n\r\n"
TIMES = Timeouts(header=5.0)


def site(name: str, *hosts: str, **fields: object) -> Site:
    """A site with one member, that nobody asks; `fields` are those of model.Site."""
    whole: dict[str, object] = {
        "name": name,
        "listen": (),
        "members": (Member(url="http://192.0.2.9", host="192.0.2.9", port=80),),
        "timezone": "UTC",
        "sorry_pages": (PageSource(source=PAGE),),
        "hosts": hosts,
        "timeouts": TIMES,
    }
    return Site(**(whole | fields))  # type: ignore[arg-type]


def port_of(bound: Bound) -> int:
    """The port that the system chose."""
    port: int = bound.sock.getsockname()[1]
    return port


class NoNames:
    """A resolver that nobody asks."""

    def lookup(self, host: str) -> Deferred[Found]:
        raise AssertionError(host)


class Town:
    """The edge, and those who visit it."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.reports: list[Report] = []
        self.edge = Edge(
            loop, NoNames(), loop.readiness, lambda: NOON, loop.seconds, self.reports.append
        )
        self._serial = 0
        self._pool = ThreadPoolExecutor(4)

    # --- what the control side says ---

    def publish(self, *sites: Site) -> None:
        """These are the sites; all of them are down by hand."""
        self._serial += 1
        down = replace(window(NOON - 60, None), site=None)
        views = tuple(
            SiteView(site=one, members=tuple(map(_view, one.members)), windows=(down,))
            for one in sites
        )
        self.edge.apply(Snapshot(serial=self._serial, sites=views))

    def open(
        self, *bound: Bound, certificates: Mapping[str, SiteCertificates] | None = None
    ) -> None:
        """Listen at these."""
        self.edge.open(bound, certificates or {})

    @staticmethod
    def bound(
        *sites: str, tls: bool = False, proxy: bool = False, path: str | None = None
    ) -> Bound:
        """A new socket of these sites."""
        host = "127.0.0.1" if path is None else ""
        listen = Listen(host=host, port=0, tls=tls, proxy=proxy, path=path)
        return Bound(listen, sites, bind(listen))

    # --- visitors ---

    def meanwhile(self, visit: Callable[[], T]) -> T:
        """What `visit` comes to, which may wait for the edge."""
        done = self._pool.submit(visit)
        end = time.monotonic() + PATIENCE
        while not done.done():
            assert time.monotonic() < end, "waited in vain"
            self.loop.turn(0.01)
        return done.result()

    def visitor(self, bound: Bound) -> socket.socket:
        """A connection, with nothing said yet."""
        unix = bound.listen.path is not None
        sock = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
        sock.settimeout(PATIENCE)
        sock.connect(bound.sock.getsockname())
        return sock

    def asks(
        self,
        bound: Bound,
        host: str = "",
        *,
        before: bytes = b"",
        tls: ssl.SSLContext | None = None,
        name: str | None = None,
    ) -> str:
        """The site whose page comes for `host`, else the status; `before` goes before it all."""
        with self.visitor(bound) as sock:
            return self.meanwhile(lambda: _asked(sock, host, before, tls, name))

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 4)):
            self.loop.advance(0.25)
            self.loop.turn()

    def end(self) -> None:
        """Stop, and wait for nobody."""
        self.passes(0.5)  # a drain that is over is let go of by a tick
        over: list[object] = []
        self.edge.stop(0.0).addCallback(over.append)
        self.loop.until(lambda: over)
        self._pool.shutdown()
        assert len(self.edge._wheel) == 0


def _view(member: Member) -> MemberView:
    return MemberView(member=member)


def _asked(
    sock: socket.socket, host: str, before: bytes, tls: ssl.SSLContext | None, name: str | None
) -> str:
    sock.sendall(before)
    with sock if tls is None else tls.wrap_socket(sock, server_hostname=name) as wire:
        return asked(wire, host)


def asked(wire: socket.socket, host: str) -> str:
    """The site whose page comes for `host` on a connection, else the status."""
    wire.sendall(REQUEST % host.encode())
    answer = http.client.HTTPResponse(wire)
    answer.begin()
    body = answer.read().decode()
    found = body.partition("<title>")[2].partition("</title>")[0]
    return found or str(answer.status)
