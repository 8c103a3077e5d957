"""A member's answer on its way to the visitor, in every framing."""

from __future__ import annotations

import pytest
from tests.edge.messages import (
    CHUNKED,
    FORWARDED,
    GET,
    OK,
    VIA,
    answer,
    asked,
    chunked,
    dechunked,
    passed,
    request,
    status_of,
)
from tests.edge.scene import Stage

CLOSE = b"Connection: close\r\n"

ANSWERS = [
    pytest.param(answer(b"hello"), id="length"),
    pytest.param(answer(b""), id="length 0"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + chunked(b"he", b"llo"), id="chunked"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + chunked(), id="no chunk"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n", id="trailer"
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhello", id="until the end"),
    pytest.param(b"HTTP/1.0 200 OK\r\n\r\nhello", id="HTTP/1.0"),
]


@pytest.mark.parametrize("said", ANSWERS)
@pytest.mark.parametrize("minor", [1, 0], ids=["to 1.1", "to 1.0"])
def test_body(stage: Stage, said: bytes, minor: int) -> None:
    """The body arrives whole, and in a framing that the visitor's version has."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.%d" % minor, b"Connection: keep-alive\r\n"))
    member = scene.member()
    member.says(said)
    framed = b"Content-Length" in said or b"chunked" in said
    if not framed:
        member.ends()
        assert member.is_gone
    head, _, body = visitor.gets().partition(b"\r\n\r\n")
    coded = minor == 1 and b"Content-Length" not in said
    assert (CHUNKED[:-2] in head.split(b"\r\n")) is coded
    expected = b"hello" if b"hello" in said or b"llo" in said else b""
    assert (dechunked(body) if coded else body) == expected
    assert visitor.is_open is (minor == 1 or b"Content-Length" in said)
    assert visitor.is_open or visitor.has_fin
    assert member.is_open is framed
    assert not member.is_aborted


@pytest.mark.parametrize(
    ("method", "first", "fields"),
    [
        pytest.param(b"HEAD", b"HTTP/1.1 200 OK", b"Content-Length: 5\r\n", id="HEAD, length"),
        pytest.param(b"HEAD", b"HTTP/1.1 200 OK", CHUNKED, id="HEAD, chunked"),
        pytest.param(b"HEAD", b"HTTP/1.1 200 OK", b"", id="HEAD"),
        pytest.param(b"GET", b"HTTP/1.1 204 No Content", b"", id="204"),
        pytest.param(b"GET", b"HTTP/1.1 304 Not Modified", b"Content-Length: 5\r\n", id="304"),
    ],
)
def test_no_body(stage: Stage, method: bytes, first: bytes, fields: bytes) -> None:
    """Answers that have no body by their nature end with their head: both connections live."""
    scene = stage()
    visitor = scene.visitor()
    asking = request(method + b" / HTTP/1.1")
    visitor.says(asking + GET)
    member = scene.member()
    assert member.gets() == asked(asking)
    member.says(first + b"\r\n" + fields + b"\r\n")
    kept = b"" if fields == CHUNKED else fields
    assert visitor.gets() == first + b"\r\n" + kept + VIA + b"\r\n"
    assert member.gets() == asked(GET)
    member.says(OK)
    assert visitor.gets() == passed(OK)


def test_fields(stage: Stage) -> None:
    """Order, spelling and repetition of fields are kept; hop-by-hop ones stay behind."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(
        b"GET /%zz?a=%41 HTTP/1.1\r\nCookie: a\r\nX-Forwarded-For: 1.2.3.4\r\nHost: shop.example"
        b"\r\nX-Hop: 1\r\nConnection: keep-alive, x-hop\r\ncOOKIE:b \r\nKeep-Alive: 5\r\n\r\n"
    )
    member = scene.member()
    assert member.gets() == (
        b"GET /%zz?a=%41 HTTP/1.1\r\nCookie: a\r\nHost: shop.example\r\ncOOKIE:b \r\n"
        + FORWARDED + VIA + b"\r\n"
    )  # fmt: skip
    member.says(
        b"HTTP/1.1 299 so be it\r\nSet-Cookie: a\r\nX-Hop: 1\r\nConnection: x-hop\r\n"
        b"set-cookie: b\r\nContent-Length: 0\r\n\r\n"
    )
    assert visitor.gets() == (
        b"HTTP/1.1 299 so be it\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n"
        + VIA + b"\r\n"
    )  # fmt: skip


def test_host_of_the_member(stage: Stage) -> None:
    """Without `preserve_host` the member is asked by its own name."""
    scene = stage(preserve_host=False)
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    assert member.gets() == asked(GET).replace(b"Host: shop.example", b"Host: a", 1)
    member.says(OK)


def test_no_host(stage: Stage) -> None:
    """HTTP/1.0 without Host: the member's own name stands in (RFC 9112 §3.2)."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(b"GET / HTTP/1.0\r\n\r\n")
    member = scene.member()
    assert member.gets().startswith(b"GET / HTTP/1.1\r\nHost: a\r\n")
    member.says(OK)


def test_stream(stage: Stage) -> None:
    """Each piece of an answer goes on when it comes, not when the answer is whole."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n")
    assert visitor.gets() == b"HTTP/1.1 200 OK\r\n" + VIA + CHUNKED + b"\r\n"
    for piece in (b"a", b"b"):
        member.says(chunked(piece, end=False))
        assert visitor.gets() == chunked(piece, end=False)
    member.says(chunked())
    assert visitor.gets() == chunked()


# --- 1xx ----------------------------------------------------------------------------------


def test_informational(stage: Stage) -> None:
    """1xx answers go through before the final one, each at once."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    member.says(hints)
    assert visitor.gets() == passed(hints)
    member.says(hints, OK)
    assert visitor.gets() == passed(hints) + passed(OK)


def test_informational_is_counted_anew(stage: Stage) -> None:
    """A few 1xx answers to each of many requests on one connection are no flood."""
    scene = stage()
    visitor, member = scene.warmed_up()
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    for _ in range(5):
        visitor.says(GET)
        member.says(*[hints] * 5, OK)
        assert visitor.gets() == passed(hints) * 5 + passed(OK)


def test_informational_and_http10(stage: Stage) -> None:
    """HTTP/1.0 visitors get no 1xx (RFC 9110 §15.2)."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.0"))
    scene.member().says(b"HTTP/1.1 102 Processing\r\n\r\n" + OK)
    assert visitor.gets() == passed(OK, CLOSE)


def test_flood_of_informational(stage: Stage) -> None:
    """A member that never comes to its answer is broken."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    member.says(*[hints] * 100)
    got = visitor.gets()
    assert got.count(hints[:-4]) < 20
    assert status_of(got[got.rindex(b"HTTP/1.1 ") :]) == 502
    assert member.is_aborted
    assert scene.failures == ["a: too many informational answers"]


def test_switching_unasked(stage: Stage) -> None:
    """A 101 that was not asked for is a broken answer."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(GET)
    member = scene.member()
    member.says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    assert status_of(visitor.gets()) == 502
    assert member.is_aborted
    assert scene.failures == ["a: switched protocols unasked"]
    assert visitor.is_open


# --- back-pressure, and a cut ----------------------------------------------------------------


def test_visitor_does_not_keep_up(stage: Stage) -> None:
    """A visitor that does not read makes sorryd not read from the member, until it does."""
    scene = stage()
    visitor = scene.visitor()
    visitor.stops_reading()
    visitor.says(GET)
    member = scene.member()
    large = answer(bytes(300_000))
    member.says_at_once(large[:100_000])
    assert not member.is_reading
    member.says_at_once(large[100_000:])
    assert visitor.waiting < 110_000
    scene.passes(20)
    visitor.reads()
    assert visitor.gets() == passed(large)
    assert member.is_open
    assert scene.active == [0]


def test_slot_is_free_before_the_visitor_has_read(stage: Stage) -> None:
    """A member whose answer is whole serves others while a slow visitor still reads it."""
    scene = stage()
    slow = scene.visitor()
    slow.stops_reading()
    slow.says(GET)
    member = scene.member()
    large = answer(bytes(100_000))
    member.says_at_once(large)
    assert scene.active == [0]
    assert member.is_reading
    quick = scene.visitor()
    member.gets()
    quick.says(GET)
    assert member.gets() == asked(GET)
    member.says(OK)
    assert quick.gets() == passed(OK)
    slow.reads()
    assert slow.gets() == passed(large)


@pytest.mark.parametrize("how", ["FIN", "reset"])
@pytest.mark.parametrize(
    ("said", "minor", "has_fin"),
    [
        pytest.param(answer()[:-2], 1, True, id="length"),
        pytest.param(answer()[:-2], 0, True, id="length to 1.0"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + chunked(b"he", end=False), 1, True,
            id="chunked",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + CHUNKED + b"\r\n" + chunked(b"he", end=False), 0, False,
            id="chunked to 1.0",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhel", 1, True, id="until the end"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nhel", 0, False, id="until the end to 1.0"),
    ],
)  # fmt: skip
def test_cut(stage: Stage, how: str, said: bytes, minor: int, has_fin: bool) -> None:
    """A member lost in the middle of its answer: what the visitor got is never taken for whole.

    FIN is enough where the framing shows that something is missing; else it is a reset.
    """
    scene = stage(members=2)
    visitor = scene.visitor()
    visitor.says(request(b"GET / HTTP/1.%d" % minor))
    member = scene.member("a")
    member.says(said)
    if how == "FIN":
        member.ends()
    else:
        member.resets()
    if how == "FIN" and b"hel" in said and b"Content-Length" not in said:
        return  # that was its end
    got = visitor.gets()
    assert status_of(got) == 200
    assert got.count(b"HTTP/1.1 ") == 1
    assert not got.endswith(b"0\r\n\r\n")
    assert visitor.is_gone
    assert visitor.has_fin is has_fin
    assert visitor.is_aborted is not has_fin
    assert member.is_gone
    assert scene.failures == ["a: " + scene.failures[0][3:]]
    assert "in the middle of its answer" in scene.failures[0]
    assert scene.is_asking_nobody
