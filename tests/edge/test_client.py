"""Requests in their order, answers in theirs: a visitor's connection on a good day."""

from __future__ import annotations

import msgspec
import pytest
from tests.edge.scene import (
    FORWARDED,
    HOST,
    NOON,
    TIMES,
    VIA,
    Stage,
    answer,
    asked,
    chunked,
    field_of,
    passed,
    request,
    status_of,
    window,
)

from sorryd.edge.wheel import TICK

GET = request()
OK = answer()


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


# --- ends -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HT", id="half a head"),
        pytest.param(request(b"POST / HTTP/1.1", b"Content-Length: 5\r\n", b"ab"), id="body"),
    ],
)
def test_fin_before_request_is_complete(stage: Stage, part: bytes) -> None:
    """FIN in the middle of a request cancels it, and the member is let go."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(part)
    visitor.ends()
    assert visitor.is_gone
    assert visitor.gets() == b""
    assert scene.active == [0]
    if b"POST" in part:
        assert scene.member().is_aborted


def test_fin_after_request(stage: Stage) -> None:
    """FIN behind a whole request: its answer is still given, then the connection closes."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    visitor.ends()
    member = scene.member()
    member.says(OK)
    assert visitor.gets() == passed(OK)
    assert visitor.has_fin
    assert not member.is_gone


def test_fin_after_pipelined_requests(stage: Stage) -> None:
    """FIN behind several requests: all of them are answered."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET + GET + b"GET / HT")
    visitor.ends()
    member = scene.member()
    member.says(OK)
    assert visitor.is_open
    member.says(OK)
    assert visitor.gets() == 2 * passed(OK)
    assert visitor.has_fin


def test_fin_while_answers_wait(stage: Stage) -> None:
    """FIN behind several requests, from who has not read the first answer: all are answered."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    member = scene.member()
    large = answer(bytes(100_000))
    member.says_at_once(large)
    visitor.says(GET)
    visitor.ends()
    visitor.reads()
    member.says(OK)
    assert visitor.gets() == passed(large) + passed(OK)
    assert visitor.has_fin


@pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "in the answer"])
def test_reset(stage: Stage, begun: bool) -> None:
    """A visitor that resets is gone: the exchange with the member is cancelled."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    if begun:
        member.says(OK[:-2])
    visitor.resets()
    scene.settle()
    assert member.is_aborted
    assert scene.active == [0]
    assert scene.failures == []


def test_reset_while_connecting(stage: Stage) -> None:
    """A visitor that leaves takes back the connection that was being made for it."""
    scene = stage()
    scene.is_dialling_slow = True
    visitor = scene.visitor()
    visitor.says(GET)
    assert scene.active == [1]
    visitor.resets()
    scene.is_dialling_slow = False
    assert scene.is_asking_nobody
    assert scene.active == [0]


# --- time-outs --------------------------------------------------------------------------


def test_silence_from_the_start(stage: Stage) -> None:
    """Who connects and says nothing is closed without a word."""
    scene = stage()
    visitor = scene.visitor()
    scene.passes(10)
    assert visitor.is_open
    scene.passes(2 * TICK)
    assert visitor.is_gone
    assert visitor.gets() == b""


def test_slow_head(stage: Stage) -> None:
    """`timeout_header` is for the whole head, however steadily it drips."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(OK)
    assert visitor.gets() == passed(OK)
    for letter in (b"G", b"E", b"T"):
        visitor.says(letter)
        scene.passes(3)
    assert visitor.is_open
    scene.passes(1 + 2 * TICK)
    assert status_of(visitor.gets()) == 408
    assert visitor.has_fin
    visitor.ends()
    assert visitor.is_gone


def test_idle(stage: Stage) -> None:
    """Between requests a connection is kept for `timeout_idle`, then closed without a word."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)
    scene.passes(60)
    assert visitor.is_open
    scene.passes(2 * TICK)
    assert visitor.is_gone
    assert visitor.gets() == b""


def test_slow_body(stage: Stage) -> None:
    """`timeout_body` begins anew with each piece; a body that stops coming gets 408."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 9\r\n"))
    member = scene.member()
    for _ in range(4):
        visitor.says(b"x")
        scene.passes(29)
    assert visitor.is_open
    scene.passes(1 + 2 * TICK)
    assert status_of(visitor.gets()) == 408
    assert visitor.has_fin
    assert member.is_aborted
    assert scene.failures == []
    visitor.ends()


def test_slow_body_does_not_blame_the_member(stage: Stage) -> None:
    """`timeout_answer` does not run while it is the visitor's turn."""
    scene = stage(timeouts=msgspec.structs.replace(TIMES, answer=20.0))
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 3\r\n"))
    member = scene.member()
    for _ in range(3):
        scene.passes(29)
        visitor.says(b"x")
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_visitor_does_not_read(stage: Stage) -> None:
    """Who takes nothing of an answer for `timeout_body` is cut, and the member let go."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    member = scene.member()
    member.says_at_once(answer(bytes(200_000))[:150_000])
    assert not member.is_reading
    scene.passes(30)
    assert visitor.is_open
    scene.passes(2 * TICK)
    assert visitor.is_aborted
    assert member.is_aborted
    assert scene.active == [0]


def test_visitor_reads_slowly(stage: Stage) -> None:
    """Who takes a little now and then is kept, for as long as it takes."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    member = scene.member()
    large = answer(bytes(200_000))
    member.says_at_once(large[:150_000])
    for _ in range(20):
        scene.passes(29)
        visitor.reads(1000)
    assert visitor.is_open
    visitor.reads()
    assert member.is_reading
    member.says_at_once(large[150_000:])
    assert visitor.gets() == passed(large)


@pytest.mark.parametrize("fields", [b"", b"Connection: close\r\n"], ids=["keep-alive", "close"])
def test_visitor_reads_the_end_slowly(stage: Stage, fields: bytes) -> None:
    """`timeout_body` holds for the rest of a whole answer too, whatever the connection's end."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(request(fields=fields))
    large = answer(bytes(100_000))
    scene.member().says_at_once(large)
    for _ in range(4):
        scene.passes(29)
        assert not visitor.is_gone
        visitor.reads(1000)
    visitor.reads()
    assert visitor.gets() == passed(large, fields)
    assert visitor.has_fin is bool(fields)


def test_visitor_stops_reading_at_the_end(stage: Stage) -> None:
    """A whole answer that is not taken for `timeout_body` ends with a reset, not with FIN."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    scene.member().says_at_once(answer(bytes(100_000)))
    scene.passes(30)
    assert visitor.is_open
    scene.passes(2 * TICK)
    assert visitor.is_aborted
