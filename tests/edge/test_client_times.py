"""How long a visitor is waited for, whatever it is that it does not do."""

from __future__ import annotations

import msgspec
import pytest
from tests.edge.messages import (
    CHUNKED,
    GET,
    OK,
    answer,
    chunked,
    is_apology,
    passed,
    request,
    status_of,
)
from tests.edge.scene import TIMES, Stage

from sorryd.edge.wheel import TICK

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


def test_handshake(stage: Stage) -> None:
    """With TLS `timeout_header` is for the handshake, and then again for the first head."""
    scene = stage()
    slow, visitor = scene.visitor(tls=True), scene.visitor(tls=True)
    scene.passes(9)
    visitor.shakes_hands()
    scene.passes(2)
    assert slow.is_gone
    scene.passes(7)
    assert visitor.is_open
    scene.passes(1 + 2 * TICK)
    assert visitor.is_gone


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


def test_member_is_late_after_the_upload(stage: Stage) -> None:
    """`timeout_answer` begins with the end of the request."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 2\r\n", b"a"))
    scene.member()
    scene.passes(29)
    visitor.says(b"b")
    scene.passes(TIMES.answer)
    assert visitor.gets() == b""
    scene.passes(2 * TICK)
    assert is_apology(visitor.gets(), 504)


@pytest.mark.parametrize("asking", [GET, request(b"PUT / HTTP/1.1", CHUNKED)], ids=["GET", "PUT"])
def test_member_is_late_after_it_took_another_upload(stage: Stage, asking: bytes) -> None:
    """What a member took of requests before says nothing of how it does with this one."""
    scene = stage()
    visitor, member = scene.warmed_up()
    member.stops_reading()
    visitor.says_at_once(request(b"PUT / HTTP/1.1", b"Content-Length: 50000\r\n", bytes(50_000)))
    member.reads()
    member.says(OK)
    assert visitor.gets() == passed(OK)
    visitor.says(asking)
    if asking != GET:
        visitor.says(chunked(b"abc"))
    scene.passes(TIMES.answer - 1)
    assert visitor.gets() == b""
    scene.passes(1 + 2 * TICK)
    assert is_apology(visitor.gets(), 504)


def test_member_was_full(stage: Stage) -> None:
    """A member that has read on waits for the visitor again, not the other way round."""
    scene = stage(timeouts=msgspec.structs.replace(TIMES, answer=20.0))
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 100001\r\n"))
    member = scene.member()
    member.stops_reading()
    visitor.says_at_once(bytes(100_000))
    scene.passes(19)
    member.reads()
    scene.passes(29)
    visitor.says(b"x")
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_member_stalls_after_a_slow_visitor(stage: Stage) -> None:
    """`timeout_stream` runs again for the member when the visitor has taken what waited."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    member = scene.member()
    member.says_at_once(answer(bytes(200_000))[:100_000])
    visitor.reads()
    scene.passes(TIMES.stream)
    assert visitor.is_open
    scene.passes(2 * TICK)
    assert visitor.is_gone
    assert member.is_aborted


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


def test_visitor_does_not_read_the_last_answer(stage: Stage) -> None:
    """Not even a short one: what the kernel does not take holds no connection for ever."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(request(fields=b"Connection: close\r\n"))
    scene.member().says(OK)
    scene.passes(TIMES.body)
    assert not visitor.is_gone
    scene.passes(2 * TICK)
    assert visitor.is_aborted
