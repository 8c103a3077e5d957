"""The fields of a request that a proxy must understand: what they do, and what is refused."""

from __future__ import annotations

import pytest
from tests.edge.reading import get, message, one, post, read_every_way, refusal_of

# --- field lines ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"X:", b"X: ", b"X:y", b"X: \ty\t ", b"X: a b\tc", b"X: :", b"X: \x80\xff", "X: é".encode(),
        b"!#$%&'*+-.^_`|~: y", b"x_y: z", b'Cookie: a=b; c="d"', b"1: 2", b"X: Host: b",
        b"X-Forwarded: y", b"Forwarded-For: y", b"X-Client-IP: y", b"Trailer: y",
        b"Max-Forwards: 0",
    ],
)  # fmt: skip
def test_lines_pass(line: bytes) -> None:
    """A field that means nothing to a proxy is passed on as it is spelt."""
    assert one(get(line)).lines == (b"Host: a", line)


def test_order() -> None:
    """Repeated fields are neither joined nor sorted (RFC 9110 §5.3)."""
    lines = (b"B: 1", b"a: 2", b"Host: h", b"b: 3", b"A: 4", b"B: 1")
    assert one(get(*lines, host=None)).lines == lines


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"X : y", id="space before the colon"),
        pytest.param(b"X\t: y", id="tab before the colon"),
        pytest.param(b"Content-Length : 5", id="space after Content-Length"),
        pytest.param(b": y", id="empty name"),
        pytest.param(b"X", id="no colon"),
        pytest.param(b"X y: z", id="space in the name"),
        pytest.param(b" X: y", id="space before the name"),
        pytest.param(b"\tX: y", id="tab before the name"),
        pytest.param(b"X: y\r\n z", id="fold by a space"),
        pytest.param(b"X: y\r\n\tz", id="fold by a tab"),
        pytest.param(b"X: y\r\n \r\nZ: z", id="fold of nothing"),
        pytest.param(b"Transfer-Encoding:\r\n chunked", id="folded coding"),
        pytest.param(b"X: y\rZ: z", id="bare CR"),
        pytest.param(b"X: y\r", id="CR CR LF"),
        pytest.param(b"X\r: y", id="CR in the name"),
        pytest.param(b"X: y\nZ: z", id="bare LF"),
        pytest.param(b"X: y\n", id="LF CR LF"),
        pytest.param(b"X: y\n\rZ: z", id="LF CR"),
        pytest.param(b"X: y\x00", id="NUL in the value"),
        pytest.param(b"X\x00: y", id="NUL in the name"),
        pytest.param(b"X: \x01", id="SOH"),
        pytest.param(b"X: \x0b", id="VT"),
        pytest.param(b"X: \x0c", id="FF"),
        pytest.param(b"X: \x1b[2J", id="ESC"),
        pytest.param(b"X: \x7f", id="DEL"),
        pytest.param(b"X(: y", id="delimiter in the name"),
        pytest.param(b'"X": y', id="quoted name"),
        pytest.param("É: y".encode(), id="name beyond ASCII"),
        pytest.param(b"\xa0X: y", id="NBSP before the name"),
        pytest.param(b"X\xa0: y", id="NBSP after the name"),
    ],
)
@pytest.mark.parametrize("place", ["first", "last", "alone"])
def test_bad_lines(line: bytes, place: str) -> None:
    """A line that two readers could take apart differently is refused, wherever it stands."""
    start = b"GET / HTTP/1.0"
    lines = {"first": (line, b"A: b"), "last": (b"A: b", line), "alone": (line,)}[place]
    assert refusal_of(message(start, *lines, host=None)) == 400


# --- framing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "length"),
    [
        pytest.param(b"Content-Length: 5", 5, id="usual"),
        pytest.param(b"content-LENGTH:\t5 ", 5, id="its case and spaces"),
        pytest.param(b"Content-Length: 0", 0, id="zero"),
        pytest.param(b"X: y", 0, id="none"),
    ],
)
@pytest.mark.parametrize("minor", [0, 1])
def test_length(line: bytes, length: int, minor: int) -> None:
    """A body is as long as its one length says; without any there is none (RFC 9112 §6.3)."""
    request = one(post(line, body=b"12345"[:length], minor=minor))
    assert (request.length, request.chunked) == (length, False)
    assert request.lines == (b"Host: a", line)
    assert request.body == b"12345"[:length]


@pytest.mark.parametrize("value", [b"005", b"\t000000000000000005 "])
def test_zeros_before_a_length(value: bytes) -> None:
    """A reader who takes them for octal would see another length: they are not passed on."""
    request = one(post(b"CONTENT-length:" + value, b"X: y", body=b"12345"))
    assert request.lines == (b"Host: a", b"Content-Length: 5", b"X: y")
    assert one(post(b"Content-Length: 00")).lines == (b"Host: a", b"Content-Length: 0")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE", b"POST", b"OPTIONS", b"get"])
@pytest.mark.parametrize("minor", [0, 1])
def test_methods_with_content(method: bytes, minor: int) -> None:
    """Before HTTP/1.1 some servers look for no body of a GET (RFC 9110 §9.3.1)."""
    first = method + b" / HTTP/1.%d" % minor
    assert one(message(first, b"Content-Length: 0")).length == 0
    data = message(first, b"Content-Length: 5") + b"12345"
    if minor == 0 and method in (b"GET", b"HEAD", b"DELETE"):
        assert refusal_of(data) == 400
    else:
        assert one(data).body == b"12345"


@pytest.mark.parametrize("line", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_trace_with_content(line: bytes) -> None:
    """RFC 9110 §9.3.8: there is none, so some readers do not look for it."""
    assert refusal_of(message(b"TRACE / HTTP/1.1", line) + b"0\r\n\r\n") == 400
    assert one(message(b"TRACE / HTTP/1.1")).method == b"TRACE"


def test_largest_length() -> None:
    """A length of 18 digits is still counted."""
    (request,) = read_every_way(post(b"Content-Length: 999999999999999999", body=b"x")).requests
    assert request.length == 999_999_999_999_999_999
    assert (request.body, request.whole) == (b"x", False)


@pytest.mark.parametrize(
    "value",
    [
        b"", b" ", b"+5", b"-5", b"-0", b"5.0", b"5e0", b"0x5", b"5h", b"a", b"5 5", b"5\t5",
        b"5,5", b"5, 5", b"5,", b",5", b"5;5", b'"5"', b"1_0", b"\xb2", b"\xd9\xa5",
        b"9223372036854775808", b"18446744073709551621", b"9" * 100,
    ],
)  # fmt: skip
def test_bad_lengths(value: bytes) -> None:
    """Anything but one number of digits is refused, even where it could be mended."""
    assert refusal_of(post(b"Content-Length: " + value, body=b"12345")) == 400


@pytest.mark.parametrize("line", [b"Transfer-Encoding: chunked", b"TRANSFER-encoding:CHUNKED\t "])
def test_chunked(line: bytes) -> None:
    """A chunked body ends with its last chunk; its framing field is the connection's own."""
    request = one(post(line, body=b"3\r\nabc\r\n0\r\n\r\n"))
    assert (request.length, request.chunked, request.body) == (None, True, b"abc")
    assert request.lines == (b"Host: a",)


@pytest.mark.parametrize(
    ("lines", "minor", "status"),
    [
        pytest.param((b"Content-Length: 5", b"Content-Length: 5"), 1, 400, id="length twice"),
        pytest.param((b"Content-Length: 5", b"Content-Length: 6"), 1, 400, id="two lengths"),
        pytest.param((b"Content-Length: 0", b"content-length: 5"), 1, 400, id="zero and another"),
        pytest.param(
            (b"Content-Length: 5", b"Transfer-Encoding: chunked"), 1, 400, id="length and chunked"
        ),
        pytest.param(
            (b"Transfer-Encoding: chunked", b"Content-Length: 0"), 1, 400, id="chunked and zero"
        ),
        pytest.param((b"Transfer-Encoding: chunked",), 0, 400, id="chunked under 1.0"),
        pytest.param(
            (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 1, 400, id="twice"
        ),
        pytest.param(
            (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), 1, 400, id="a second"
        ),
        pytest.param(
            (b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunked"), 1, 400, id="gzip first"
        ),
        pytest.param((b"Content_Length: 5",), 1, 400, id="length with an underscore"),
        pytest.param((b"TRANSFER_ENCODING: chunked",), 1, 400, id="coding with an underscore"),
        pytest.param((b"Transfer-Encoding : chunked",), 1, 400, id="space before the colon"),
        pytest.param((b"X: y\rTransfer-Encoding: chunked",), 1, 400, id="behind a CR"),
        pytest.param((b"X: y\nTransfer-Encoding: chunked",), 1, 400, id="behind an LF"),
    ],
)  # fmt: skip
def test_framing_in_doubt(lines: tuple[bytes, ...], minor: int, status: int) -> None:
    """Whoever says two things about the end of a body is not believed in either."""
    assert refusal_of(post(*lines, body=b"0\r\n\r\n", minor=minor)) == status


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (b"gzip, chunked", 501), (b"deflate,gzip,\tChunked", 501), (b"identity, chunked", 501),
        (b"gzip", 400), (b"identity", 400), (b"chunked, gzip", 400), (b"chunked, identity", 400),
        (b"chunked, chunked", 400), (b"gzip, chunked, chunked", 400), (b"", 400),
        (b"chunked,", 400), (b",chunked", 400), (b"gzip,, chunked", 400), (b"xchunked", 400),
        (b"chunked-x", 400), (b"chunked;q=1", 400), (b"chunked; a", 400),
        (b"gzip;q=1, chunked", 400), (b'"chunked"', 400), (b"'chunked'", 400),
        (b"chunked chunked", 400), (b"chun ked", 400), (b"gzip chunked", 400),
        (b"[chunked]", 400), (b"\x0bchunked", 400), (b"\xa0chunked", 400),
        (b"chunked\x00", 400), (b"chunked\r", 400), (b"ch\xc3\xbcnked", 400),
        (b"chun\xe1\xb4\x8bed", 400),
    ],
)  # fmt: skip
def test_codings(value: bytes, status: int) -> None:
    """RFC 9112 §6.1, §6.3: 501 where a coding is unknown, 400 where the end is, too."""
    assert refusal_of(post(b"Transfer-Encoding: " + value, body=b"0\r\n\r\n")) == status


# --- Expect ---------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"Expect: 100-continue", b"EXPECT:\t100-Continue "])
def test_expect(line: bytes) -> None:
    """An expectation is understood and goes on to the member (RFC 9110 §10.1.1)."""
    request = one(post(line, b"Content-Length: 1", body=b"x"))
    assert request.expects_continue
    assert request.lines == (b"Host: a", line, b"Content-Length: 1")


def test_expect_under_http_1_0() -> None:
    """HTTP/1.0 knows no 100 (Continue): nobody is asked for one."""
    request = one(post(b"Expect: 100-continue", minor=0))
    assert not request.expects_continue
    assert request.lines == (b"Host: a",)


@pytest.mark.parametrize("value", [b"", b"200-ok", b"100-continue, x", b"100-continue;x", b"100"])
def test_other_expectations(value: bytes) -> None:
    """What can't be promised is refused with 417."""
    assert refusal_of(post(b"Expect: " + value)) == 417
