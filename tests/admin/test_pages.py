"""The admin listener, as scrapers and balancers see it; in memory."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from http.client import HTTPResponse
from io import BytesIO
from typing import Any

import pytest
from tests.admin.views import of, overview, parsed
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.logger import capturedLogs

from sorryd.admin.overview import Overview
from sorryd.admin.pages import LONGEST, MOST, pages
from sorryd.admin.scrapes import Scrapes

Wire = StringTransportWithDisconnection


class Visited:
    """The listener, with numbers that come when `looks` are fired, or at once."""

    def __init__(self) -> None:
        self.is_ready = True
        self.is_slow = False
        self.looks: list[Deferred[Overview]] = []
        self.texts = 0
        self.serial = 0
        self.clock = Clock()
        scrapes = Scrapes(self._look, self._aside)
        self.factory: IProtocolFactory = pages(scrapes, lambda: self.is_ready, self.clock)

    def _look(self) -> Deferred[Overview]:
        if not self.is_slow:
            return succeed(self.seen())
        self.looks.append(Deferred())
        return self.looks[-1]

    def seen(self) -> Overview:
        """Another one each time, by its number of the snapshot."""
        self.serial += 1
        whole = overview()
        return whole._replace(snapshot=type(whole.snapshot)(serial=self.serial, sites=()))

    def _aside(self, make: Callable[[], bytes]) -> Deferred[bytes]:
        self.texts += 1
        return succeed(make())

    def connects(self) -> Wire:
        """A connection."""
        protocol: Any = self.factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        wire = Wire()
        wire.protocol = protocol
        protocol.makeConnection(wire)
        return wire

    def asks(self, path: str, method: str = "GET", fields: str = "") -> Wire:
        """A request on a connection of its own."""
        wire = self.connects()
        request = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"
        wire.protocol.dataReceived(request.encode())
        return wire


def answer(wire: Wire, method: str = "GET") -> HTTPResponse:
    """What was answered there."""

    class Socket:
        def makefile(self, mode: str) -> BytesIO:
            return BytesIO(wire.value())

    response = HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]
    response.begin()
    return response


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/metrics", "GET", 200),
        ("/metrics?a=b", "GET", 200),
        ("/ready", "GET", 200),
        ("/ready", "HEAD", 200),
        ("/metrics", "POST", 405),
        ("/ready", "DELETE", 405),
        ("/metrics/", "GET", 404),
        ("/metrics/a", "GET", 404),
        ("/a", "GET", 404),
        ("/%2e%2e/a", "GET", 404),
    ],
)
def test_paths(path: str, method: str, status: int) -> None:
    """There is what the list at / says, and nothing else; nothing of it can be written."""
    response = answer(Visited().asks(path, method), method)
    assert response.status == status
    assert response.getheader("Server") == "sorryd"
    if status == 405:
        assert response.getheader("Allow") == "GET, HEAD"


def test_list() -> None:
    """/ names the other pages."""
    text = answer(Visited().asks("/")).read().decode()
    assert "/metrics" in text
    assert "/ready" in text


def test_ready() -> None:
    """A balancer in front learns that sorryd stops before its connections are refused."""
    visited = Visited()
    visited.is_ready = False
    response = answer(visited.asks("/ready"))
    assert (response.status, response.read()) == (503, b"not ready\n")


def test_head() -> None:
    """HEAD gets the fields alone."""
    wire = Visited().asks("/metrics", "HEAD")
    response = answer(wire, "HEAD")
    assert response.status == 200
    assert int(response.getheader("Content-Length") or 0) > 1000
    assert wire.value().endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0;q=0.5", "application/openmetrics-text"),
        ("text/plain;version=0.0.4;q=0.3,*/*;q=0.1", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_formats(accept: str, kind: str) -> None:
    """OpenMetrics for those who ask for it, the older text for all others."""
    response = answer(Visited().asks("/metrics", fields=f"Accept: {accept}\r\n"))
    assert (response.getheader("Content-Type") or "").startswith(kind)
    assert response.getheader("Cache-Control") == "no-store"


def test_gzip() -> None:
    """It is compressed for those who take that."""
    response = answer(Visited().asks("/metrics", fields="Accept-Encoding: gzip\r\n"))
    assert response.getheader("Content-Encoding") == "gzip"
    series = parsed(gzip.decompress(response.read()))
    assert of(series, "sorryd_snapshot_serial") == 1


def test_crowd() -> None:
    """Those who ask while numbers are made share what is made next; nobody gets older ones."""
    visited = Visited()
    visited.is_slow = True
    first = visited.asks("/metrics")
    others = [visited.asks("/metrics") for _ in range(100)]
    assert len(visited.looks) == 1
    visited.looks[0].callback(visited.seen())
    assert of(parsed(answer(first).read()), "sorryd_snapshot_serial") == 1
    assert not any(other.value() for other in others)
    visited.looks[1].callback(visited.seen())
    for other in others:
        assert of(parsed(answer(other).read()), "sorryd_snapshot_serial") == 2
    assert (len(visited.looks), visited.texts) == (2, 2)


def test_scraper_that_leaves() -> None:
    """Nobody is bothered by one that goes before its answer, nor are those who stay."""
    visited = Visited()
    visited.is_slow = True
    gone, stays = visited.asks("/metrics"), visited.asks("/metrics")
    gone.loseConnection()
    visited.looks[0].callback(visited.seen())
    visited.looks[1].callback(visited.seen())
    assert answer(stays).status == 200


def test_bug() -> None:
    """Where numbers can't be told the scraper hears so, and the next one is served."""
    visited = Visited()
    visited.is_slow = True
    wire = visited.asks("/metrics")
    with capturedLogs() as events:
        visited.looks[0].errback(ValueError("broken"))
    assert answer(wire).status == 500
    assert any("log_failure" in event for event in events)
    visited.is_slow = False
    assert answer(visited.asks("/metrics")).status == 200


def test_too_many() -> None:
    """Connections are limited: the oldest gives way, so nobody keeps all others out."""
    visited = Visited()
    wires = [visited.connects() for _ in range(MOST)]
    wires.pop(3).loseConnection()
    visited.connects()
    assert all(wire.connected for wire in wires)
    for older in wires[:2]:
        assert answer(visited.asks("/ready")).status == 200
        visited.connects()
        assert not older.connected
    assert all(wire.connected for wire in wires[2:])


@pytest.mark.parametrize(
    "sent", [b"", b"GET /ready HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\n"]
)
def test_drops(sent: bytes) -> None:
    """Who sends by drops is cut as soon as who sends nothing."""
    visited = Visited()
    wire = visited.connects()
    wire.protocol.dataReceived(sent)
    for _ in range(int(LONGEST) - 1):
        visited.clock.advance(1)
        if sent:
            wire.protocol.dataReceived(b"X: y\r\n")
        assert wire.connected
    visited.clock.advance(1)
    assert not wire.connected
    assert not visited.clock.getDelayedCalls()


def test_one_answer_for_each_connection() -> None:
    """Who asks a thousand times without reading gets one answer, and costs no memory for more."""
    visited = Visited()
    wire = visited.connects()
    wire.protocol.dataReceived(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
    assert wire.value().count(b"HTTP/1.1") == 1
    assert answer(wire).getheader("Connection") == "close"
    assert not wire.connected
    assert not visited.clock.getDelayedCalls()


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("Content-Length: 300000", b"x" * 300_000),
        ("Transfer-Encoding: chunked", b"186a0\r\n" + b"x" * 100_000 + b"\r\n0\r\n\r\n"),
    ],
)
def test_bodies(field: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body is not kept, and the disk can't be filled by one."""

    def no_file(*_: object, **__: object) -> None:
        raise AssertionError("a file was made")

    monkeypatch.setattr("tempfile.TemporaryFile", no_file)
    wire = Visited().asks("/metrics", "POST", f"{field}\r\n")
    wire.protocol.dataReceived(body)
    assert answer(wire).status == 405


def test_it_has_a_name() -> None:
    """Where Twisted says in the log that it listens, it is called what it is."""
    assert Visited().factory.logPrefix() == "numbers"  # type: ignore[attr-defined]
