"""What is believed of a member's answer: its framing, and what is only between it and us."""

from __future__ import annotations

import pytest
from tests.edge.reading import message

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.http1 import read_response
from sorryd.policy.heads import ResponseHead


def answer(
    *lines: bytes, status: int = 200, minor: int = 1, bodiless: bool = False
) -> ResponseHead:
    """The head of an answer with these field lines."""
    data = message(b"HTTP/1.%d %d Reason" % (minor, status), *lines, host=None)
    return read_response(data + b"rest", len(data), bodiless)


CHUNKED = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("lines", "length", "chunked"),
    [
        pytest.param((b"Content-Length: 5",), 5, False, id="length"),
        pytest.param((b"content-length:\t0 ",), 0, False, id="no bytes"),
        pytest.param((CHUNKED,), None, True, id="chunked"),
        pytest.param((b"TRANSFER-ENCODING: CHUNKED",), None, True, id="the case of chunked"),
        pytest.param((), None, False, id="until the end"),
        pytest.param((b"X: y",), None, False, id="until the end, with a field"),
    ],
)
def test_framing(lines: tuple[bytes, ...], length: int | None, chunked: bool) -> None:
    """Length, chunked, or until the end of the connection (RFC 9112 §6.3)."""
    head = answer(*lines)
    assert (head.length, head.chunked) == (length, chunked)


@pytest.mark.parametrize(
    ("status", "bodiless", "lines", "kept"),
    [
        pytest.param(200, True, (b"Content-Length: 5",), (b"Content-Length: 5",), id="HEAD"),
        pytest.param(200, True, (CHUNKED,), (), id="HEAD, chunked"),
        pytest.param(200, True, (), (), id="HEAD, nothing said"),
        pytest.param(304, False, (b"Content-Length: 5",), (b"Content-Length: 5",), id="304"),
        pytest.param(304, False, (CHUNKED,), (), id="304, chunked"),
        pytest.param(204, False, (b"A: b", b"CONTENT-length: 5"), (b"A: b",), id="204"),
        pytest.param(204, False, (CHUNKED,), (), id="204, chunked"),
        pytest.param(204, False, (), (), id="204, nothing said"),
        pytest.param(204, True, (b"Content-Length: 0",), (), id="204 to HEAD"),
        pytest.param(100, False, (b"Content-Length: 5", b"A: b"), (b"A: b",), id="100"),
        pytest.param(103, False, (b"Link: x", CHUNKED), (b"Link: x",), id="103"),
    ],
)
def test_no_body(
    status: int, bodiless: bool, lines: tuple[bytes, ...], kept: tuple[bytes, ...]
) -> None:
    """These have no body whatever they say, and 1xx and 204 say no length (RFC 9110 §8.6)."""
    head = answer(*lines, status=status, bodiless=bodiless)
    assert (head.length, head.chunked) == (0, False)
    assert tuple(head.lines) == kept


@pytest.mark.parametrize(
    ("lines", "minor"),
    [
        pytest.param((b"Content-Length: 5", b"Content-Length: 5"), 1, id="length twice"),
        pytest.param((b"Content-Length: 5", b"Content-Length: 6"), 1, id="two lengths"),
        pytest.param((b"Content-Length: 5, 5",), 1, id="listed length"),
        pytest.param((b"Content-Length: -5",), 1, id="signed length"),
        pytest.param((b"Content-Length: 0x5",), 1, id="hexadecimal length"),
        pytest.param((b"Content-Length:",), 1, id="empty length"),
        pytest.param((b"Content-Length: 18446744073709551621",), 1, id="overflow"),
        pytest.param((b"Content-Length: 5", CHUNKED), 1, id="length and chunked"),
        pytest.param((CHUNKED, b"Content-Length: 5"), 1, id="chunked and length"),
        pytest.param((CHUNKED, CHUNKED), 1, id="chunked twice"),
        pytest.param((CHUNKED,), 0, id="chunked under HTTP/1.0"),
        pytest.param((b"Transfer-Encoding: gzip, chunked",), 1, id="stacked"),
        pytest.param((b"Transfer-Encoding: gzip",), 1, id="other coding"),
        pytest.param((b"Transfer-Encoding: identity",), 1, id="identity"),
        pytest.param((b"Transfer-Encoding: xchunked",), 1, id="like chunked"),
        pytest.param((b"Content-Length : 5",), 1, id="space before the colon"),
        pytest.param((b"X: y\r\n Content-Length: 5",), 1, id="folded"),
        pytest.param((b"X: y\nContent-Length: 5",), 1, id="bare LF"),
        pytest.param((b"X: y\rContent-Length: 5",), 1, id="bare CR"),
        pytest.param((b"X: \x00",), 1, id="NUL"),
        pytest.param((b": y",), 1, id="empty name"),
        pytest.param((b"no colon",), 1, id="no colon"),
    ],
)
@pytest.mark.parametrize("bodiless", [False, True])
def test_framing_in_doubt(lines: tuple[bytes, ...], minor: int, bodiless: bool) -> None:
    """A member that leaves doubt is not passed on, even where no body follows."""
    with pytest.raises(BadMessage) as refused:
        answer(*lines, minor=minor, bodiless=bodiless)
    assert refused.value.status == 502


@pytest.mark.parametrize(
    ("lines", "http_1_1", "http_1_0"),
    [
        pytest.param((), True, False, id="nothing said"),
        pytest.param((b"Connection: close",), False, False, id="close"),
        pytest.param((b"Connection: keep-alive",), True, True, id="keep-alive"),
        pytest.param((b"Connection: keep-alive", b"Connection: Close"), False, False, id="both"),
        pytest.param((b"Keep-Alive: timeout=5",), True, False, id="Keep-Alive alone"),
    ],
)
def test_keep_alive(lines: tuple[bytes, ...], http_1_1: bool, http_1_0: bool) -> None:
    """Whether the member will take another request (RFC 9112 §9.3)."""
    assert answer(*lines).keep_alive is http_1_1
    assert answer(*lines, minor=0).keep_alive is http_1_0


def test_hop_by_hop() -> None:
    """What was for us alone ends here; the rest is passed on in its order and spelling."""
    head = answer(
        b"Set-Cookie: a", b"Connection: close, X, set-cookie, content-length", b"x: 1",
        b"Keep-Alive: timeout=5", b"Content-Length: 0", b"Proxy-Connection: close", b"TE: a",
        b"Trailer: b", b"Upgrade: h2c", b"set-cookie: b", b"Forwarded: c", b"Host: d",
    )  # fmt: skip
    assert head.lines == [
        b"Set-Cookie: a", b"Content-Length: 0", b"Trailer: b", b"set-cookie: b", b"Forwarded: c",
        b"Host: d",
    ]  # fmt: skip


def test_zeros_before_a_length() -> None:
    """Nor do visitors read them otherwise than we do."""
    head = answer(b"Content-Length: 005", b"A: b")
    assert (head.length, head.lines) == (5, [b"Content-Length: 5", b"A: b"])


@pytest.mark.parametrize(
    ("lines", "located"),
    [
        pytest.param((b"A: b",), None, id="none"),
        pytest.param((), None, id="no fields"),
        pytest.param((b"A: b", b"LOCATION: /", b"C: d"), [1], id="Location"),
        pytest.param((b"Content-Location: /",), [0], id="Content-Location"),
        pytest.param((b"URI: /",), [0], id="URI"),
        pytest.param((b"Refresh: 0; url=/",), [0], id="Refresh"),
        pytest.param((b"Set-Cookie: a", b"A: b", b"set-cookie: c"), [0, 2], id="cookies"),
        pytest.param((b"Keep-Alive: a", b"TE: b", b"Location: /"), [0], id="behind dropped ones"),
        pytest.param(
            (b"X: 1", b"Set-Cookie: a", b"Connection: X", b"x: 2", b"A: b", b"Location: /"), [0, 2],
            id="among nominated ones",
        ),
        pytest.param((b"Refresh: 1", b"Connection: refresh"), None, id="nominated itself"),
        pytest.param((b"Location: /", b"Connection: location"), [0], id="Location nominated"),
    ],
)  # fmt: skip
def test_located(lines: tuple[bytes, ...], located: list[int] | None) -> None:
    """Where the lines are that may name the member, among those that are passed on."""
    head = answer(*lines)
    assert head.located == located
    names = (b"location", b"content-location", b"uri", b"refresh", b"set-cookie")
    at = [n for n, line in enumerate(head.lines) if line.partition(b":")[0].lower() in names]
    assert at == (located or [])


def test_located_without_a_length() -> None:
    """The length that a 204 must not say is not counted either."""
    head = answer(b"Content-Length: 0", b"Location: /", status=204)
    assert (head.lines, head.located) == ([b"Location: /"], [0])


@pytest.mark.parametrize(
    ("lines", "minor", "upgrade"),
    [
        pytest.param((b"Connection: Upgrade", b"Upgrade: websocket"), 1, b"websocket", id="usual"),
        pytest.param((b"Upgrade: websocket",), 1, None, id="not named in Connection"),
        pytest.param((b"Connection: Upgrade",), 1, None, id="to nothing"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: h2c"), 1, None, id="h2c"),
        pytest.param((b"Connection: Upgrade", b"Upgrade: websocket"), 0, None, id="HTTP/1.0"),
    ],
)
def test_upgrade(lines: tuple[bytes, ...], minor: int, upgrade: bytes | None) -> None:
    """A member changes protocol by the rules, and never to another HTTP."""
    assert answer(*lines, status=101, minor=minor).upgrade == upgrade
