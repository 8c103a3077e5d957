"""Request lines, status lines and the ends of heads, as RFC 9112 has them."""

from __future__ import annotations

import pytest
from tests.edge.reading import Reading, Sizes, get, message, one, read, refusal_of

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.http1 import MOST_FIELDS, head_end, read_response

# --- request lines ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    [
        b"GET", b"FOO", b"BASELINE-CONTROL", b"M-SEARCH", b"get", b"connect", b"PRI",
        b"!#$%&'*+-.^_`|~",
    ],
)  # fmt: skip
def test_methods(method: bytes) -> None:
    """Any token is a method, and its case is its own (RFC 9110 §9.1)."""
    assert one(message(method + b" / HTTP/1.1")).method == method


@pytest.mark.parametrize(
    "target",
    [
        b"/", b"/a/../b", b"//a//b", b"/%2f%2F%00", b"/?", b"/?a=?&b=/", b"/a;b=c", b"/a*b",
        "/あ/é?ü".encode(), b"/\x80\xff", b'/"<>\\^`{|}', b"/:80@x", b"/http://b/",
        b"/%", b"/..", b"/%23", b"/" + b"a" * 2000,
    ],
)  # fmt: skip
def test_targets(target: bytes) -> None:
    """The bytes of a target stay as they came, whatever they would mean."""
    assert one(message(b"GET " + target + b" HTTP/1.1")).target == target


@pytest.mark.parametrize("minor", [0, 1])
def test_versions(minor: int) -> None:
    """HTTP/1.1 and 1.0 are served; without a word only the first keeps its connection."""
    request = one(get(minor=minor))
    assert request.minor == minor
    assert request.keep_alive is (minor == 1)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param(b"GET /", 400, id="HTTP/0.9"),
        pytest.param(b"GET / HTTP/0.9", 505, id="0.9"),
        pytest.param(b"GET / HTTP/1.2", 505, id="1.2"),
        pytest.param(b"GET / HTTP/2.0", 505, id="2.0"),
        pytest.param(b"GET / HTTP/3.7", 505, id="3.7"),
        pytest.param(b"GET / HTTP/2", 400, id="2 without a minor"),
        pytest.param(b"GET / HTTP/1.10", 400, id="1.10"),
        pytest.param(b"GET / HTTP/11.1", 400, id="11.1"),
        pytest.param(b"GET / HTTP/1.", 400, id="no minor"),
        pytest.param(b"GET / HTTP/1,1", 400, id="comma in the version"),
        pytest.param(b"GET / HTTP/+1.1", 400, id="signed version"),
        pytest.param(b"GET / http/1.1", 400, id="lower-case version"),
        pytest.param(b"GET / HTTPS/1.1", 400, id="HTTPS"),
        pytest.param(b"OPTIONS / RTSP/1.0", 400, id="RTSP"),
        pytest.param(b"GET / HTTP /1.1", 400, id="space in the version"),
        pytest.param(b"GET / HTTP/1.1 ", 400, id="space after the version"),
        pytest.param(b"GET / HTTP/1.1 HTTP/1.1", 400, id="two versions"),
        pytest.param(b"GET  / HTTP/1.1", 400, id="two spaces before the target"),
        pytest.param(b"GET /  HTTP/1.1", 400, id="two spaces after the target"),
        pytest.param(b"GET /a b HTTP/1.1", 400, id="space in the target"),
        pytest.param(b"GET\t/ HTTP/1.1", 400, id="tab before the target"),
        pytest.param(b"GET /\tHTTP/1.1", 400, id="tab after the target"),
        pytest.param(b"GET /\x00 HTTP/1.1", 400, id="NUL in the target"),
        pytest.param(b"GET /\x7f HTTP/1.1", 400, id="DEL in the target"),
        pytest.param(b"GET /a#b HTTP/1.1", 400, id="fragment"),
        pytest.param(b"GET /# HTTP/1.1", 400, id="empty fragment"),
        pytest.param(b"GET http://a/#b HTTP/1.1", 400, id="fragment of an absolute form"),
        pytest.param(b"GET /\x0b HTTP/1.1", 400, id="VT in the target"),
        pytest.param(b"GET /\r HTTP/1.1", 400, id="CR in the target"),
        pytest.param(b"GET /\r\n HTTP/1.1", 400, id="folded request line"),
        pytest.param(b"GET /\n HTTP/1.1", 400, id="LF in the target"),
        pytest.param(b"GET / HTTP/1.1\r", 400, id="CR CR LF"),
        pytest.param(b"GET HTTP/1.1", 400, id="no target"),
        pytest.param(b" GET / HTTP/1.1", 400, id="space first"),
        pytest.param(b"\nGET / HTTP/1.1", 400, id="LF first"),
        pytest.param(b"\r\rGET / HTTP/1.1", 400, id="CR first"),
        pytest.param(b"\x00GET / HTTP/1.1", 400, id="NUL first"),
        pytest.param(b"\xef\xbb\xbfGET / HTTP/1.1", 400, id="BOM first"),
        pytest.param(b"G(T / HTTP/1.1", 400, id="delimiter in the method"),
        pytest.param(b"G:T / HTTP/1.1", 400, id="colon in the method"),
        pytest.param("GÉT / HTTP/1.1".encode(), 400, id="method beyond ASCII"),
        pytest.param(b"/ HTTP/1.1", 400, id="no method"),
        pytest.param(b"HTTP/1.1 200 OK", 400, id="an answer"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, id="TLS"),
    ],
)
def test_bad_request_lines(line: bytes, status: int) -> None:
    """What is no request line of HTTP/1 is refused, and only a wrong version with 505."""
    assert refusal_of(message(line)) == status


def test_http2_preface() -> None:
    """A client that speaks HTTP/2 at once is told that nobody here does."""
    assert refusal_of(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505


def test_wrong_version_of_a_bad_head() -> None:
    """A head that can't be read is malformed before it is of a wrong version."""
    assert refusal_of(b"GET / HTTP/2.0\r\nHost: a\nX: y\r\n\r\n") == 400
    assert refusal_of(b"GET / HTTP/2.0\r\nHost : a\r\n\r\n") == 400


@pytest.mark.parametrize("data", [b"GET / HTTP/1.0\n\n", b"GET / HTTP/1.1\r\nHost: a\n\n", b"\n"])
def test_bare_line_feeds(data: bytes) -> None:
    """Lines that end in LF alone are refused at once: nobody waits for the CR that won't come."""
    assert refusal_of(data) == 400


# --- sizes ----------------------------------------------------------------------------------


def test_head_of_the_limit() -> None:
    """A head may be as large as the limit, to the byte."""
    data = get(b"X: " + b"y" * 100)
    assert one(data, Sizes(max_header_bytes=len(data))).target == b"/"
    assert refusal_of(data, Sizes(max_header_bytes=len(data) - 1)) == 431
    start = b"GET / HTTP/1.1\r\n"
    assert read([start], Sizes(max_header_bytes=len(start))) == Reading(ahead=start)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(get(b"X: " + b"y" * 100), 431, id="one large field"),
        pytest.param(get(*[b"X: y"] * 20), 431, id="many fields"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"y" * 100, 431, id="without an end"),
        pytest.param(b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n\r\n", 414, id="large target"),
        pytest.param(b"GET /" + b"a" * 100, 414, id="target without an end"),
        pytest.param(b"G" * 100, 414, id="large method"),
        pytest.param(b"GET / HTTP/1.1\n" + b"y" * 100, 400, id="large, and a bare LF"),
        pytest.param(b"GET / HTTP/1.1\n" + b"y" * 100 + b"\r\n\r\n", 400, id="a bare LF, whole"),
        pytest.param(b"GET /" + b"a" * 100 + b"\n", 414, id="a bare LF beyond the limit"),
        pytest.param(b"\x16\x03" + b"\x00" * 100, 400, id="large, and not HTTP"),
    ],
)
def test_large_heads(data: bytes, status: int) -> None:
    """A head over the limit is refused as soon as it is, for its target or for all of it."""
    assert refusal_of(data, Sizes(max_header_bytes=50)) == status


# --- status lines ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "minor", "status", "reason"),
    [
        pytest.param(b"HTTP/1.1 200 OK", 1, 200, b"OK", id="usual"),
        pytest.param(b"HTTP/1.0 404 Not Found", 0, 404, b"Not Found", id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 200 ", 1, 200, b"", id="empty reason"),
        pytest.param(b"HTTP/1.1 200", 1, 200, b"", id="no reason, no space"),
        pytest.param(b"HTTP/1.1 200  two ", 1, 200, b" two ", id="spaces in the reason"),
        pytest.param(b"HTTP/1.1 200 \xc3\xa9\t!", 1, 200, b"\xc3\xa9\t!", id="reason beyond ASCII"),
        pytest.param(b"HTTP/1.1 999 ?", 1, 999, b"?", id="unknown class"),
    ],
)
def test_status_lines(line: bytes, minor: int, status: int, reason: bytes) -> None:
    """A status line is read, its reason untouched."""
    data = message(line, host=None)
    head = read_response(data, len(data), False)
    assert (head.minor, head.status, head.reason) == (minor, status, reason)


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 099 Low", b"HTTP/1.1 000 None", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 -20 OK", b"HTTP/1.1 2x0 OK", b"HTTP/1.1  200 OK", b"HTTP/1.1\t200 OK",
        b"HTTP/1.1 200\tOK", b"HTTP/1.1 200OK", b"HTTP/1.1", b"HTTP/0.9 200 OK",
        b"HTTP/2.0 200 OK", b"HTTP/2 200", b"HTTP/1.2 200 OK", b"HTTP/1.10 200 OK",
        b"http/1.1 200 OK", b"ICY 200 OK", b" HTTP/1.1 200 OK", b"\r\nHTTP/1.1 200 OK",
        b"HTTP/1.1 200 O\x00K", b"HTTP/1.1 200 O\rK", b"HTTP/1.1 200 O\nK", b"<html>", b"",
    ],
)  # fmt: skip
def test_bad_status_lines(line: bytes) -> None:
    """A member that does not speak HTTP/1 is not passed on."""
    data = message(line, host=None)
    with pytest.raises(BadMessage) as refused:
        read_response(data, len(data), False)
    assert refused.value.status == 502


# --- where heads end ------------------------------------------------------------------------


def test_head_end_looks_at_no_byte_twice() -> None:
    """What was searched is not searched again, but for an end that was cut in pieces."""
    data = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest"
    end = data.index(b"rest")
    for searched in range(end):
        assert head_end(data, 100, searched) == end
    assert head_end(data[: end - 1], 100) == -1
    assert head_end(b"x\n", 100, 2) == -1


@pytest.mark.parametrize(("more", "refused"), [(0, None), (1, 431)])
def test_number_of_fields(more: int, refused: int | None) -> None:
    """Many short fields cost more than their bytes, so they are counted too."""
    fields = [b"Averagely-long: x"] * (MOST_FIELDS - 1 + more)
    assert read([get(*fields)], Sizes(max_header_bytes=MEBI)).refused == refused


MEBI = 1 << 20
NOMINATIONS = b"Connection: " + b",".join(b"x%d" % n for n in range(65536))


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        pytest.param(b"A" * MEBI, None, id="no end of a method"),
        pytest.param(b"GET " + b"/" * MEBI, None, id="no end of a target"),
        pytest.param(b"GET / HTTP/" + b"1" * MEBI + b"\r\n\r\n", 400, id="large version"),
        pytest.param(get(b"A" * MEBI), 400, id="no colon"),
        pytest.param(get(b"A:" + b"b" * MEBI + b"\0"), 400, id="a NUL at the end of a value"),
        pytest.param(get(*[b"a:"] * 262144, b"\0"), 431, id="a NUL after many fields"),
        pytest.param(get(*[b"a: \t"] * 174762, b" "), 431, id="a fold after many fields"),
        pytest.param(get(host=b"a" * MEBI + b"@"), 400, id="a large bad host"),
        pytest.param(get(host=b"%61" * 349525 + b"%"), 400, id="a large bad coded host"),
        pytest.param(message(b"GET http://" + b"a" * MEBI + b" HTTP/1.1"), 400, id="other host"),
        pytest.param(get(b"Content-Length:" + b" \t" * 524288 + b"x"), 400, id="spaces, no length"),
        pytest.param(get(b"Content-Length: " + b"1" * MEBI), 400, id="a large length"),
        pytest.param(get(b"Transfer-Encoding: " + b"a," * 524288), 400, id="many codings"),
        pytest.param(get(b"Connection: " + b"," * MEBI), None, id="many options"),
        pytest.param(get(*[b"Connection: a,b"] * 65536), 431, id="many Connection fields"),
        pytest.param(get(NOMINATIONS, *[b"y:"] * 65536), 431, id="many nominations and fields"),
        pytest.param(b"\r\n" * 524288, 400, id="empty lines"),
    ],
)
def test_hostile_heads(data: bytes, refused: int | None) -> None:
    """A mebibyte of anything is judged in one pass: nothing in it is tried again and again."""
    pieces = (data[at : at + 65536] for at in range(0, len(data), 65536))
    assert read(pieces, Sizes(max_header_bytes=MEBI * 2)).refused == refused
