"""A visitor that ends its half of the connection, or all of it."""

from __future__ import annotations

import pytest
from tests.edge.messages import GET, OK, answer, passed, put, request
from tests.edge.scene import NOON, Stage, window

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


@pytest.mark.parametrize("framed", [True, False])
def test_fin_in_an_upload_that_is_answered(stage: Stage, framed: bool) -> None:
    """... also where its answer has begun, which must not be taken for whole then."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.0", b"Content-Length: 5\r\n", b"ab"))
    member = scene.member()
    member.says(
        b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: 9\r\n" if framed else b"") + b"\r\nso far"
    )
    visitor.ends()
    assert visitor.gets().endswith(b"\r\n\r\nso far")
    assert visitor.is_aborted is not framed
    assert visitor.is_gone
    assert member.is_aborted


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


def test_fin_behind_what_is_not_answered(stage: Stage) -> None:
    """Requests behind the connection's last one, and FIN: it is closed with that answer."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(fields=b"Connection: close\r\n") + GET)
    visitor.ends()
    scene.member().says(OK)
    assert visitor.gets() == passed(OK, b"Connection: close\r\n")
    assert visitor.is_gone
    assert not visitor.is_aborted


def test_flood_behind_the_last_answer(stage: Stage) -> None:
    """What a visitor that was paused sends behind its last request is read away."""
    scene = stage(max_header_bytes=200)
    visitor = scene.visitor()
    visitor.says(request(fields=b"Connection: close\r\n"), *[GET] * 50)
    assert visitor.unread
    scene.member().says(OK)
    assert visitor.gets() == passed(OK, b"Connection: close\r\n")
    assert visitor.has_fin
    assert not visitor.unread
    visitor.ends()


def test_fin_in_an_upload_with_bytes_waiting(stage: Stage) -> None:
    """The member is let go at once, even where the visitor has not read all of its answer."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 5\r\n", b"ab"))
    member = scene.member()
    member.says(OK[:-1])
    visitor.ends()
    assert member.is_aborted
    assert scene.active == [0]
    assert not visitor.is_gone
    visitor.reads()
    assert visitor.is_gone


def test_fin_before_apologies(stage: Stage) -> None:
    """FIN behind several requests, the last of which get the apology: all are answered."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET + GET + GET)
    visitor.ends()
    scene.publish(window(NOON, NOON + 60, drain=30))
    scene.member().says(OK)
    assert visitor.gets().count(b"HTTP/1.1 503 ") == 2
    assert visitor.is_gone


def test_fin_in_an_upload_that_waits_for_its_turn(stage: Stage) -> None:
    """FIN in the middle of the last of several requests: that one is cancelled, when its turn
    comes, and the others are answered."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET + put(b"abcdef")[:-3])
    visitor.ends()
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)
    assert visitor.is_gone
    assert scene.active == [0]
