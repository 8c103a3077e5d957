"""The apology of a real daemon, as visitors get it ."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import Pages, asking, check_apology, check_page, is_over, utc
from tests.end_to_end.wire import Wire, request, visitor


@pytest.fixture
def member() -> Iterator[Pages]:
    """A member that answers."""
    with Pages() as one:
        yield one


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, float]]:
    """A site in a window that ends at the given instant, in an hour or so."""
    with (
        Pages() as member,
        Daemon(tmp_path_factory.mktemp("closed"), configuration([member.url])) as daemon,
    ):
        end = round(time.time()) + 3600.25
        reason = "<script>alert('1 & 2')</script>\r\nX-Evil: 1"
        span = {"from": "now", "until": utc(end), "reason": reason}
        daemon.ask("window.schedule", span)
        yield daemon, end
        assert member.requests == [], "the member was asked although its site was down"


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        pytest.param(b"GET", b"/", b"", id="root"),
        pytest.param(b"GET", b"/a/b?c=%2F&d;e=..//./\xe5", b"", id="any path and query"),
        pytest.param(b"GET", b"http://shop.example/x", b"", id="absolute form"),
        pytest.param(b"OPTIONS", b"*", b"", id="asterisk form"),
        pytest.param(b"HEAD", b"/", b"", id="HEAD"),
        pytest.param(b"POST", b"/order", b"a=1" * 30000, id="POST with a body"),
        pytest.param(b"HEAD", b"/", b"body", id="HEAD with a body"),
        pytest.param(b"DELETE", b"/x", b"", id="DELETE"),
        pytest.param(b"BASELINE-CONTROL", b"/x", b"", id="a method few know"),
    ],
)
def test_any_request_gets_the_apology(
    closed: tuple[Daemon, float], method: bytes, target: bytes, body: bytes
) -> None:
    """Whatever is asked, the apology is complete, counts down, and keeps the connection."""
    daemon, end = closed
    with visitor(daemon.port()) as wire:
        before = time.time()
        first = asking(wire, target, method, body)
        waits = range(math.ceil(end - time.time()), math.ceil(end - before) + 1)
        assert first.status == 503
        assert int(first.one("Retry-After") or 0) in waits
        assert first.body == b"" if method == b"HEAD" else len(first.body) > 1000
        again = asking(wire, b"/again")  # on the same connection
        check_apology(again)
        assert int(first.one("Content-Length") or 0) == len(again.body)


def test_no_cache_can_keep_the_apology(closed: tuple[Daemon, float]) -> None:
    """Its head tells caches off, says why, and has nothing to revalidate by."""
    daemon, _ = closed
    with visitor(daemon.port()) as wire:
        wire.send(request(b"/", b"If-None-Match: *", b"Range: bytes=0-1"))
        got = wire.answer()
    changing = (b"Date:", b"Retry-After:", b"Content-Length:")
    assert got.first == b"HTTP/1.1 503 Service Unavailable"
    assert sorted(line for line in got.lines if not line.startswith(changing)) == [
        b"Cache-Control: no-store",
        b"Content-Language: en",
        b"Content-Type: text/html; charset=utf-8",
        b"Sorry-Cause: window",
        b"Vary: Accept, Accept-Language, Accept-Encoding",
    ]


def test_a_reason_is_text_and_never_markup(closed: tuple[Daemon, float]) -> None:
    """What an operator says is escaped in the page, and nothing of it gets into the head."""
    daemon, _ = closed
    with visitor(daemon.port()) as wire:
        response = asking(wire, b"/")
    assert b"<script>alert" not in response.body
    assert b"&lt;script&gt;alert(&#39;1 &amp; 2&#39;)&lt;/script&gt;" in response.body
    assert response.one("X-Evil") is None


def test_http_1_0_gets_the_apology_and_the_end(closed: tuple[Daemon, float]) -> None:
    """An old client gets the whole apology, and then the connection's end."""
    daemon, _ = closed
    with visitor(daemon.port()) as wire:
        wire.send(b"GET / HTTP/1.0\r\n\r\n")
        assert wire.answer().status == 503
        assert is_over(wire)


def test_retry_after_counts_down_and_the_page_comes_back(tmp_path: Path, member: Pages) -> None:
    """Seconds are told to the end of all that overlaps, one less each second; who asks again
    after the end gets the page first asked for, on the same connection."""
    with (
        Daemon(tmp_path, configuration([member.url])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        base = round(time.time(), 3)
        for start, end in ((-1, 1.2), (1.0, 2.2)):
            span = {"from": utc(base + start), "until": utc(base + end)}
            daemon.ask("window.schedule", span)
        told: list[int] = []
        response = asking(wire, b"/article?page=3")
        while response.status == 503:
            told.append(int(response.one("Retry-After") or 0))
            response = asking(wire, b"/article?page=3")
        check_page(response, "/article?page=3")
        assert time.time() >= base + 2.2
        assert told == sorted(told, reverse=True)
        assert set(told) == {3, 2, 1} or set(told) == {2, 1}


@pytest.mark.parametrize(
    ("params", "retry_after", "words"),
    [
        pytest.param({"reason": "disks"}, 30, b"disks", id="no end is known"),
        pytest.param({"until_text": "12pm Central Time"}, 30, b"12pm Central Time", id="in words"),
        pytest.param({"for": "2h"}, 7200, b'datetime="', id="an end"),
    ],
)
def test_a_down_by_hand_tells_what_is_known(
    hand: tuple[Daemon, Wire], params: dict[str, str], retry_after: int, words: bytes
) -> None:
    """``down`` says the operator's words, and when to come back where that is known."""
    daemon, wire = hand
    daemon.ask("site.down", params)
    response = asking(wire, b"/")
    check_apology(response)
    assert response.one("Sorry-Cause") == b"manual"
    assert retry_after - 20 < int(response.one("Retry-After") or 0) <= retry_after
    assert words in response.body
    daemon.ask("site.up")
    check_page(asking(wire, b"/back"), "/back")


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Wire]]:
    """A site to take down by hand, and a visitor with one connection to it."""
    with (
        Pages() as member,
        Daemon(tmp_path_factory.mktemp("hand"), configuration([member.url])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        yield daemon, wire
