"""What a visitor is told where its request is no good, and how the connection ends then."""

from __future__ import annotations

import pytest
from tests.edge.messages import (
    CHUNKED,
    GET,
    OK,
    asked,
    chunked,
    field_of,
    passed,
    request,
    status_of,
)
from tests.edge.scene import NOON, TIMES, Stage, window

from sorryd.edge.line import LINGER
from sorryd.edge.wheel import TICK

REFUSED = [
    pytest.param(400, b"GET  / HTTP/1.1\r\n\r\n", id="two spaces"),
    pytest.param(400, b"GET / HTTP/1.1\r\n\r\n", id="no Host"),
    pytest.param(400, request(fields=b"Host: b\r\n"), id="two Hosts"),
    pytest.param(400, request(fields=b"A : b\r\n"), id="space before the colon"),
    pytest.param(400, request(fields=b"A: b\r\n c\r\n"), id="folded line"),
    pytest.param(400, request(fields=b"Content-Length: 1\r\n" + CHUNKED), id="two framings"),
    pytest.param(400, request(fields=b"Content-Length: -1\r\n"), id="length"),
    pytest.param(400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS to a plain port"),
    pytest.param(405, request(b"CONNECT b:443 HTTP/1.1"), id="CONNECT"),
    pytest.param(417, request(fields=b"Expect: wonders\r\n"), id="Expect"),
    pytest.param(431, request(fields=b"A: " + bytes(2000).hex().encode() + b"\r\n"), id="431"),
    pytest.param(501, request(fields=b"Transfer-Encoding: gzip, chunked\r\n"), id="coding"),
    pytest.param(505, request(b"GET / HTTP/2.0"), id="version"),
]


@pytest.mark.parametrize(("status", "bad"), REFUSED)
@pytest.mark.parametrize("after", [b"", GET], ids=["first", "second"])
def test_refused(stage: Stage, status: int, bad: bytes, after: bytes) -> None:
    """A bad request gets its status and FIN, and what follows is read away; no member sees it."""
    scene = stage(max_header_bytes=2000)
    visitor = scene.visitor()
    visitor.says(after)
    if after:
        scene.member().says(OK)
    assert visitor.gets() == (passed(OK) if after else b"")
    visitor.says(bad)
    got = visitor.gets()
    assert status_of(got) == status
    assert field_of(got, b"Connection") == b"close"
    assert int(field_of(got, b"Content-Length") or b"") == len(got.partition(b"\r\n\r\n")[2])
    assert (field_of(got, b"Allow") is not None) is (status == 405)
    assert visitor.has_fin
    assert not visitor.is_gone
    visitor.says(GET * 5)
    assert visitor.unread == 0
    assert visitor.gets() == b""
    visitor.ends()
    assert visitor.is_gone
    assert scene.is_asking_nobody
    assert len(scene.site.pools[0]._idle) == (1 if after else 0)


def test_refused_behind_others(stage: Stage) -> None:
    """What was asked before a bad request is answered before the refusal."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET + b"GET / HTTP/1.1\r\nbad line\r\n\r\n")
    assert visitor.gets() == b""
    scene.member().says(OK)
    got = visitor.gets()
    assert got.startswith(passed(OK))
    assert status_of(got[len(passed(OK)) :]) == 400
    visitor.ends()


def test_refused_head_request(stage: Stage) -> None:
    """HEAD is refused without a body (RFC 9110 §9.3.2)."""
    scene = stage(max_body_bytes=4)
    visitor = scene.visitor()
    visitor.says(request(b"HEAD / HTTP/1.1", b"Content-Length: 5\r\n", b"abcde"))
    head, _, body = visitor.gets().partition(b"\r\n\r\n")
    assert status_of(head) == 413
    assert body == b""
    visitor.ends()


def test_lingering_ends(stage: Stage) -> None:
    """Who goes on talking after a refusal is cut off soon."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(b"nonsense\r\n\r\n")
    assert visitor.has_fin
    for _ in range(4):
        scene.passes(LINGER / 4)
        visitor.says(b"and more")
    assert not visitor.is_gone
    scene.passes(2 * TICK)
    assert visitor.is_aborted


def test_too_long(stage: Stage) -> None:
    """A Content-Length over `max_body_bytes` gets 413 at once; what is sent is read away."""
    scene = stage(max_body_bytes=4)
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 5\r\n"))
    assert status_of(visitor.gets()) == 413
    assert visitor.has_fin
    visitor.says(b"abcde")
    assert visitor.unread == 0
    visitor.ends()
    assert visitor.is_gone
    assert scene.is_asking_nobody


def test_exactly_the_limit(stage: Stage) -> None:
    """A body of `max_body_bytes` is none too large, in either framing."""
    scene = stage(max_body_bytes=4)
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", b"Content-Length: 4\r\n", b"abcd"))
    member = scene.member()
    member.says(OK)
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED, chunked(b"ab", b"cd")))
    member.says(OK)
    assert visitor.gets() == 2 * passed(OK)


def test_too_many_chunks(stage: Stage) -> None:
    """Chunks over `max_body_bytes` get 413, and the member never sees the end of the request."""
    scene = stage(max_body_bytes=4)
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED), chunked(b"abc", end=False))
    member = scene.member()
    visitor.says(chunked(b"de"))
    assert status_of(visitor.gets()) == 413
    assert not member.gets().endswith(b"0\r\n\r\n")
    assert member.is_aborted
    assert scene.failures == []
    visitor.ends()


@pytest.mark.parametrize(
    ("first", "has_fin"),
    [
        pytest.param(b"HTTP/1.1", True, id="chunked answer"),
        pytest.param(b"HTTP/1.0", False, id="answer without framing"),
    ],
)
def test_bad_chunk_during_the_answer(stage: Stage, first: bytes, has_fin: bool) -> None:
    """A body found broken when its answer has begun: the answer is cut so that it shows."""
    scene = stage()
    visitor = scene.visitor()
    length = b"Content-Length: 9\r\n"
    fields = CHUNKED if first == b"HTTP/1.1" else length
    visitor.says(request(b"POST / " + first, fields, b"1\r\na\r\n"))
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n\r\nbegin")
    if first == b"HTTP/1.1":
        visitor.says(b"nonsense\r\n")
    else:
        scene.passes(TIMES.body + 2 * TICK)
    got = visitor.gets()
    assert status_of(got) == 200
    assert not got.endswith(b"0\r\n\r\n")
    assert got.count(b"HTTP/1.1 ") == 1
    assert visitor.has_fin is has_fin
    assert visitor.is_gone
    assert member.is_aborted
    assert scene.active == [0]


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_bad_chunk(stage: Stage, down: bool) -> None:
    """A body found broken before its answer gets 400; found after it, only FIN."""
    scene = stage()
    if down:
        scene.publish(window(NOON, None))
    visitor = scene.visitor()
    visitor.says(request(b"POST / HTTP/1.1", CHUNKED), b"1\r\na\r\nnonsense\r\n")
    got = visitor.gets()
    assert status_of(got) == (503 if down else 400)
    assert got.count(b"HTTP/1.1 ") == 1
    assert visitor.has_fin
    visitor.ends()
    assert visitor.is_gone
    if not down:
        assert scene.failures == []
        scene.settle()


def test_good_again_elsewhere(stage: Stage) -> None:
    """A refused visitor's member serves the next visitor."""
    scene = stage()
    first = scene.visitor()
    first.says(b"nonsense\r\n\r\n")
    second = scene.visitor()
    second.says(GET)
    member = scene.member()
    assert member.gets() == asked(GET)
    member.says(OK)
    assert second.gets() == passed(OK)
    first.ends()
