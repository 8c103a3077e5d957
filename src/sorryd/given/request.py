"""One request for a page elsewhere: at most `PATIENCE` seconds, `MOST` bytes and `HOPS` redirects.

It is asked for by its URL alone: nothing that a visitor sent goes there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any, Final

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, fail
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import (
    URI,
    Agent,
    HTTPConnectionPool,
    RedirectAgent,
    ResponseDone,
    ResponseFailed,
    ResponseNeverReceived,
)
from twisted.web.error import InfiniteRedirection, RedirectWithNoLocation
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IResponse
from zope.interface import implementer

from sorryd.given.copies import Copy, NotGood
from sorryd.snapshot import GivenPage

PATIENCE: Final = 10.0
"""Seconds for all of it, from the lookup of the name to the last byte."""

MOST: Final = 2**20
"""Bytes of the largest page that is taken."""

HOPS: Final = 3
"""Redirects that are followed."""

_TYPES: Final = frozenset({"text/html", "text/plain", "application/xhtml+xml"})
_CONTENT_TYPE: Final = re.compile(
    r"\s*([a-z+-]+/[a-z+-]+)\s*(?:;.*?\bcharset\s*=\s*\"?([\w.:+-]+)\"?.*|;.*)?", re.ASCII | re.I
)


def fetch(reactor: Any, url: str, before: Copy | None, now: Callable[[], float]) -> Deferred[Copy]:
    """The page at `url`; `before` itself where the server says that it is still the same.

    `now` is the wall clock. Fails with NotGood.
    """
    connections = _Connections(reactor)
    agent = Agent.usingEndpointFactory(
        reactor, connections, HTTPConnectionPool(reactor, persistent=False)
    )
    got = Deferred.fromCoroutine(_fetch(RedirectAgent(_Guarded(agent), HOPS), url, before, now))
    got.addTimeout(PATIENCE, reactor)
    return got.addBoth(connections.close).addErrback(_not_good)


async def _fetch(agent: IAgent, url: str, before: Copy | None, now: Callable[[], float]) -> Copy:
    response = await agent.request(b"GET", url.encode("ascii"), _fields(before))
    if response.code == 304 and before is not None:
        return before
    media_type = _media_type(response)
    body: Deferred[bytes] = Deferred()
    response.deliverBody(_Body(body))
    page = _page(await body, media_type, before, now())
    return Copy(
        url=url, page=page, etag=_one(response, "ETag"), modified=_one(response, "Last-Modified")
    )


def _page(body: bytes, media_type: str, before: Copy | None, now: float) -> GivenPage:
    if not body:
        raise NotGood("the page is empty")
    if before is not None and (before.page.body, before.page.media_type) == (body, media_type):
        return before.page
    return GivenPage(body=body, media_type=media_type, since=now)


def _fields(before: Copy | None) -> Headers:
    fields = Headers()
    fields.addRawHeader("User-Agent", "sorryd")
    fields.addRawHeader("Accept", "text/html, application/xhtml+xml, text/plain;q=0.5")
    if before is not None and before.etag:
        fields.addRawHeader("If-None-Match", before.etag)
    elif before is not None and before.modified:
        fields.addRawHeader("If-Modified-Since", before.modified)
    return fields


def _media_type(response: IResponse) -> str:
    """What the page is, of a response whose head is good; else NotGood."""
    if response.code != 200:
        raise NotGood(f"the answer was {response.code}")
    if coding := _one(response, "Content-Encoding"):
        raise NotGood(f"the page came with a Content-Encoding that nobody asked for ({coding})")
    written = _one(response, "Content-Type")
    match = _CONTENT_TYPE.fullmatch(written)
    if match is None or match[1].lower() not in _TYPES:
        raise NotGood(f"the page is neither HTML nor text ({written or 'no Content-Type'})")
    return match[1].lower() + (f"; charset={match[2].lower()}" if match[2] else "")


def _one(response: IResponse, name: str) -> str:
    """The value of a field, in ASCII; empty where there is none, or not one."""
    values = response.headers.getRawHeaders(name.encode("ascii"), [])
    return values[0].decode("ascii", "replace") if len(values) == 1 else ""


class _Body(Protocol):
    """Reads a body of at most `MOST` bytes."""

    def __init__(self, whole: Deferred[bytes]) -> None:
        self._whole: Deferred[bytes] | None = whole
        self._data = bytearray()

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > MOST:
            self._finish(Failure(NotGood(f"the page is larger than {MOST // 2**20} MiB")))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        # PotentialDataLoss: the end of the connection is that of the body, as HTTP/1.0 has it.
        whole = reason.check(ResponseDone, PotentialDataLoss) is not None
        self._finish(bytes(self._data) if whole else reason)

    def _finish(self, outcome: bytes | Failure) -> None:
        whole, self._whole = self._whole, None
        if whole is not None:
            whole.callback(outcome)


@implementer(IAgent)
class _Guarded:
    """Goes no further than http(s), and from https no more to http: nobody would be verified."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._is_secure = False

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: Any = None
    ) -> Deferred[IResponse]:
        scheme = uri.partition(b":")[0].lower()
        if scheme not in (b"http", b"https"):
            return fail(NotGood(f"it redirects to {_shown(uri)}"))
        if self._is_secure and scheme == b"http":
            return fail(NotGood(f"it redirects from https to {_shown(uri)}"))
        self._is_secure = scheme == b"https"
        return self._agent.request(method, uri, headers, bodyProducer)


def _shown(uri: bytes) -> str:
    return ascii(uri[:200].decode("latin-1"))[1:-1]


@implementer(IAgentEndpointFactory)
class _Connections:
    """Makes the connections of one request, and sees to it that none outlives it."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._open: list[IProtocol] = []

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        host = uri.host.decode("ascii")
        plain = HostnameEndpoint(self._reactor, host, uri.port, timeout=PATIENCE)
        secure = uri.scheme == b"https"
        return _Noted(
            wrapClientTLS(optionsForClientTLS(host), plain) if secure else plain, self._open
        )

    def close(self, outcome: Any) -> Any:
        for protocol in self._open:
            transport = getattr(protocol, "transport", None)
            if transport is not None:
                transport.abortConnection()
        return outcome


@implementer(IStreamClientEndpoint)
class _Noted:
    def __init__(self, endpoint: IStreamClientEndpoint, connected: list[IProtocol]) -> None:
        self._endpoint = endpoint
        self._connected = connected

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        if isinstance(protocolFactory, Factory):
            protocolFactory.noisy = False  # else the log has two lines of each request
        return self._endpoint.connect(protocolFactory).addCallback(self._note)

    def _note(self, protocol: IProtocol) -> IProtocol:
        self._connected.append(protocol)
        return protocol


def _not_good(failure: Failure) -> Failure:
    return Failure(NotGood(_words(failure)))


def _words(failure: Failure) -> str:
    """Why nothing came, for a person."""
    error = failure.value
    match error:
        case NotGood():
            return str(error)
        case TimeoutError() | CancelledError():
            return f"it took longer than {PATIENCE:g} s"
        case ResponseNeverReceived():
            return _words(error.reasons[-1])
        case ResponseFailed(reasons=[Failure(value=CancelledError()), *_]):
            return _words(error.reasons[0])
        case ResponseFailed(reasons=[*_, Failure(value=InfiniteRedirection())]):
            return f"more than {HOPS} redirects"
        case ResponseFailed(reasons=[*_, Failure(value=RedirectWithNoLocation())]):
            return "a redirect to nowhere"
        case ResponseFailed():
            return "the answer was broken or cut short"
        case VerificationError():
            return "its certificate is for another name"
        case SSL.Error(args=(((_, _, reason), *_),)):
            return f"TLS: {reason}"
        case DNSLookupError():
            return "there is no such name"
        case ConnectError(osError=int(number)):
            return os.strerror(number).lower()
        case ConnectError():
            return "it can't be connected to"
        case ConnectionClosed():
            return "the connection was closed without an answer"
    return f"no proper answer ({type(error).__name__})"
