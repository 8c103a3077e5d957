"""Requests in their order, answers in theirs: a visitor's connection on a good day."""

from __future__ import annotations

import pytest
from tests.edge.messages import (
    FORWARDED,
    GET,
    HOST,
    OK,
    VIA,
    answer,
    asked,
    chunked,
    field_of,
    passed,
    request,
    status_of,
)
from tests.edge.scene import NOON, Stage, window


def test_keep_alive(stage: Stage) -> None:
    """One connection each carries one request after the other, whole and in both directions."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    for _ in range(3):
        assert member.gets() == asked(GET)
        member.says(OK)
        assert visitor.gets() == passed(OK)
        assert scene.active == [0]
        visitor.says(GET)
    member.says(OK)
    assert scene.is_asking_nobody
    assert visitor.is_open


def test_pipelining(stage: Stage) -> None:
    """Requests sent ahead are asked one by one, and answered in their order."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(*(request(b"GET /%d HTTP/1.1" % n) for n in range(4)))
    member = scene.member()
    for n in range(4):
        assert member.gets() == asked(request(b"GET /%d HTTP/1.1" % n))
        assert visitor.gets() == b""
        member.says(answer(b"%d" % n))
        assert visitor.gets() == passed(answer(b"%d" % n))
    assert scene.is_asking_nobody


def test_pipelined_bodies(stage: Stage) -> None:
    """A request right behind a body is a request of its own."""
    scene = stage()
    visitor = scene.visitor()
    first = request(b"POST /1 HTTP/1.1", b"Content-Length: 5\r\n", b"abcde")
    coded = b"Transfer-Encoding: chunked\r\n"
    visitor.says(first + request(b"PUT /2 HTTP/1.1", coded, chunked(b"fgh")) + GET)
    member = scene.member()
    assert member.gets() == asked(first)
    member.says(OK)
    second = member.gets()
    assert second.startswith(b"PUT /2 HTTP/1.1\r\n" + HOST + FORWARDED + coded + VIA + b"\r\n")
    member.says(OK)
    assert member.gets() == asked(GET)
    member.says(OK)
    assert visitor.gets() == 3 * passed(OK)


def test_flood_of_requests(stage: Stage) -> None:
    """A visitor far ahead of its answers is not read from, and is again when they are given."""
    scene = stage(max_header_bytes=200)
    visitor = scene.visitor()
    visitor.says(*[GET] * 100)
    assert visitor.unread > 90 * len(GET)
    assert not visitor.is_reading
    member = scene.member()
    for _ in range(100):
        assert member.gets() == asked(GET)
        member.says(OK)
    assert visitor.gets() == 100 * passed(OK)
    assert visitor.is_reading


def test_pipelined_over_apologies(stage: Stage) -> None:
    """During a window too, each request gets its answer, in order, on the same connection."""
    scene = stage()
    scene.publish(window(NOON, NOON + 60))
    visitor = scene.visitor()
    visitor.says(GET + request(b"HEAD / HTTP/1.1") + GET)
    got = visitor.gets()
    whole = got[: got.index(b"</title>window\n") + len(b"</title>window\n")]
    head = whole[: whole.index(b"\r\n\r\n") + 4]
    assert got == whole + head + whole
    assert status_of(whole) == 503
    assert field_of(whole, b"Retry-After") == b"60"
    assert visitor.is_open
    assert scene.is_asking_nobody


def test_flood_of_requests_over_apologies(stage: Stage) -> None:
    """A visitor who asks without reading is given no more than what the transport holds."""
    scene = stage()
    scene.publish(window(NOON, None))
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says_at_once(GET * 2000)
    assert visitor.waiting < 100_000
    assert not visitor.is_reading
    visitor.reads()
    assert visitor.gets().count(b"HTTP/1.1 503 ") == 2000
    assert visitor.is_reading


def test_phase_is_asked_on_every_request(stage: Stage) -> None:
    """A window opens and ends between two requests of one connection, by the clock alone."""
    scene = stage()
    scene.publish(window(NOON + 1, NOON + 2))
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(OK)
    scene.wall = NOON + 1
    visitor.says(GET)
    scene.wall = NOON + 2
    visitor.says(GET)
    member.says(OK)
    got = visitor.gets()
    assert got.startswith(passed(OK))
    assert got.endswith(passed(OK))
    assert got.count(b"HTTP/1.1 503 ") == 1


@pytest.mark.parametrize(
    ("fields", "lives"),
    [
        pytest.param(b"", False, id="1.0"),
        pytest.param(b"Connection: keep-alive\r\n", True, id="1.0 keep-alive"),
    ],
)
@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_http10(stage: Stage, fields: bytes, lives: bool, down: bool) -> None:
    """HTTP/1.0 closes after the answer unless both sides say keep-alive."""
    scene = stage()
    if down:
        scene.publish(window(NOON, None))
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.0", fields))
    if not down:
        member = scene.member()
        assert member.gets() == asked(request(), via=b"Via: 1.0 sorryd\r\n")
        member.says(OK)
    got = visitor.gets()
    assert field_of(got, b"Connection") == (b"keep-alive" if lives else b"close")
    assert visitor.is_open is lives


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_close(stage: Stage, down: bool) -> None:
    """Who says close gets close, and FIN behind the answer; what follows is not a request."""
    scene = stage()
    if down:
        scene.publish(window(NOON, None))
    visitor = scene.visitor()
    visitor.says(request(fields=b"Connection: close\r\n") + GET)
    if not down:
        scene.member().says(OK)
    got = visitor.gets()
    assert got.count(b"HTTP/1.1 ") == 1
    assert field_of(got, b"Connection") == b"close"
    assert visitor.has_fin
    assert scene.is_asking_nobody


def test_empty_line_before_a_request(stage: Stage) -> None:
    """An empty line before a request is read over (RFC 9112 §2.2)."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(b"\r\n" + GET)
    member = scene.member()
    assert member.gets() == asked(GET)
    member.says(OK)
    visitor.says(b"\r\n" + GET)
    assert member.gets() == asked(GET)
    member.says(OK)
