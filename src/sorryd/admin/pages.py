"""The pages of the admin listener, by twisted.web: this is not the data path."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from prometheus_client.exposition import gzip_accepted
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from sorryd.admin.scrapes import Scrapes, form_for

log = Logger()

MOST: Final = 256
"""Connections at once; for one more, the oldest is cut: a crowd that asks for nothing keeps no
scraper and no balancer out."""

LONGEST: Final = 30.0
"""Seconds after which a connection is cut, whatever it does: it may send or read by drops."""

TEXT: Final = b"text/plain; charset=utf-8"
INDEX: Final = b"""sorryd
/metrics  numbers, for Prometheus
/ready    200 while visitors are taken, 503 when sorryd starts or stops
"""


def pages(scrapes: Scrapes, is_ready: Callable[[], bool], reactor: Any) -> IProtocolFactory:
    """What listens at the admin address."""
    root = _Nothing()
    root.putChild(b"", _Said(lambda: (200, INDEX)))
    root.putChild(b"metrics", _Metrics(scrapes))
    root.putChild(b"ready", _Said(lambda: _readiness(is_ready())))
    quiet = _Quiet(root, requestFactory=_Asked, timeout=None, reactor=reactor)
    return _Limited(quiet, reactor)


def _readiness(is_ready: bool) -> tuple[int, bytes]:
    return (200, b"ready\n") if is_ready else (503, b"not ready\n")


class _Asked(Request):
    """The only request of its connection, so that nobody asks for more than it reads; and one
    without a body, which twisted.web would put on the disk."""

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        self.channel.persistent = False
        self.setHeader(b"connection", b"close")

    def handleContentChunk(self, data: bytes) -> None:
        pass


class _Quiet(Site):
    """A scrape every few seconds is no news."""

    noisy = False
    displayTracebacks = False

    def log(self, request: Any) -> None:
        pass

    def getResourceFor(self, request: Any) -> IResource:
        request.setHeader(b"server", b"sorryd")
        request.setHeader(b"cache-control", b"no-store")
        found: IResource = super().getResourceFor(request)
        return found


class _Visit(ProtocolWrapper):
    """A connection, and when it is cut."""

    factory: _Limited
    _cut: Any

    def makeConnection(self, transport: Any) -> None:
        self._cut = self.factory.reactor.callLater(LONGEST, transport.abortConnection)
        super().makeConnection(transport)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._cut.active():
            self._cut.cancel()
        super().connectionLost(reason)


class _Limited(WrappingFactory):
    noisy = False
    protocol = _Visit

    def __init__(self, wrapped: IProtocolFactory, reactor: Any) -> None:
        super().__init__(wrapped)
        self.reactor = reactor

    def logPrefix(self) -> str:
        return "numbers"

    def buildProtocol(self, addr: Any) -> Any:
        if len(self.protocols) >= MOST:
            oldest = next(iter(self.protocols))
            self.unregisterProtocol(oldest)
            oldest.transport.abortConnection()
        return super().buildProtocol(addr)

    def unregisterProtocol(self, p: Any) -> None:
        self.protocols.pop(p, None)  # one that was cut for another is not there any more


class _Page(Resource):
    """Something that can be read, and no more; below it is nothing."""

    def getChild(self, path: bytes, request: Request) -> Resource:
        return _Nothing()

    def render(self, request: Request) -> bytes | int:
        if request.method in (b"GET", b"HEAD"):
            return self.told(request)
        request.setHeader(b"allow", b"GET, HEAD")
        return _said(request, 405, b"only GET and HEAD\n")

    def told(self, request: Request) -> bytes | int:
        """What `render` gives then."""
        raise NotImplementedError


class _Said(_Page):
    """A status and a short text."""

    def __init__(self, say: Callable[[], tuple[int, bytes]]) -> None:
        super().__init__()
        self._say = say

    def told(self, request: Request) -> bytes:
        return _said(request, *self._say())


class _Nothing(_Page):
    def told(self, request: Request) -> bytes:
        return _said(request, 404, b"nothing is here; / says what there is\n")


class _Metrics(_Page):
    def __init__(self, scrapes: Scrapes) -> None:
        super().__init__()
        self._scrapes = scrapes

    def told(self, request: Request) -> int:
        accept = request.getHeader("accept") or ""
        form = form_for(accept, gzip_accepted(request.getHeader("accept-encoding") or ""))
        made = self._scrapes.text(accept, form)
        request.notifyFinish().addErrback(lambda _: made.cancel())

        def give(text: bytes) -> None:
            request.setHeader(b"content-type", form.kind.encode("ascii"))
            request.setHeader(b"vary", b"Accept, Accept-Encoding")
            if form.is_gzipped:
                request.setHeader(b"content-encoding", b"gzip")
            request.setHeader(b"content-length", b"%d" % len(text))
            request.write(text)
            request.finish()

        made.addCallback(give).addErrback(_failed, request)
        return NOT_DONE_YET


def _said(request: Request, status: int, text: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", TEXT)
    return text


def _failed(why: Failure, request: Request) -> None:
    if why.check(CancelledError):
        return  # the scraper has gone
    log.failure("a bug in what the admin listener tells", why)
    request.write(_said(request, 500, b"sorryd can't tell: a bug, which its log has\n"))
    request.finish()
