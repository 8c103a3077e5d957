"""Requests taken apart: one after the other, within limits, however the bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.edge.reading import (
    Reading,
    Sizes,
    get,
    message,
    one,
    post,
    read,
    read_every_way,
    refusal_of,
    settled,
)

from sorryd.edge.requests import DISCARDED, EMPTY_LINES, RequestReader
from sorryd.policy.heads import RequestHead

CHUNKED = b"Transfer-Encoding: chunked"
EXPECT = b"Expect: 100-continue"


def bodies(reading: Reading) -> list[bytes]:
    """The bodies of the requests that are whole."""
    return [request.body for request in reading.requests if request.whole]


# --- one after the other ----------------------------------------------------------------------


def test_pipelining() -> None:
    """Each request begins where the one before ends, by length or by chunks."""
    data = (
        post(b"Content-Length: 3", body=b"abc")
        + get()
        + post(CHUNKED, body=b"2\r\nde\r\n0\r\nX: y\r\n\r\n")
        + b"\r\n"
        + post(b"Content-Length: 0")
    )
    reading = read_every_way(data)
    assert bodies(reading) == [b"abc", b"", b"de", b""]
    assert [request.method for request in reading.requests] == [b"POST", b"GET", b"POST", b"POST"]
    assert reading.refused is None


def test_what_looks_like_a_request() -> None:
    """A body is no request, whatever it looks like."""
    inner = get()
    assert one(post(b"Content-Length: %d" % len(inner), body=inner)).body == inner


@pytest.mark.parametrize(
    ("data", "whole", "refused"),
    [
        pytest.param(get() + b"junk\r\n\r\n", 1, 400, id="junk after a request"),
        pytest.param(get() + b"x" * 20 + b"\n", 1, 400, id="a bare LF after a request"),
        pytest.param(post(b"Content-Length: 3", body=b"abc:"), 1, 400, id="a byte too much"),
        pytest.param(post(CHUNKED, body=b"0\r\n\r\n0\r\n\r\n"), 1, 400, id="ended twice"),
        pytest.param(post(CHUNKED, body=b"x\r\n") + get(), 0, 400, id="bad chunks"),
        pytest.param(get() + post(CHUNKED, body=b"3\r\nabcd"), 1, 400, id="long chunk"),
        pytest.param(post(body=b"abc\r\n\r\n"), 1, 400, id="a body without framing"),
        pytest.param(get() + get(b"Host: b") + get(), 1, 400, id="a bad one of three"),
    ],
)
def test_good_before_bad(data: bytes, whole: int, refused: int) -> None:
    """What was good before a bad message stays so; nothing after it is read."""
    reading = read_every_way(data)
    assert len(reading.requests) == whole
    assert reading.refused == refused


@pytest.mark.parametrize(("sent", "method"), [(b"ab", b"ET"), (b"abc", b"GET"), (b"abcd", b"dGET")])
def test_length_alone_counts(sent: bytes, method: bytes) -> None:
    """A visitor that counts wrong gets what it asked for: no byte is guessed at."""
    (first, second) = read_every_way(post(b"Content-Length: 3", body=sent) + get()).requests
    assert len(first.body) == 3
    assert second.method == method


@pytest.mark.parametrize("number", range(EMPTY_LINES + 1))
def test_empty_lines(number: int) -> None:
    """RFC 9112 §2.2: a few empty lines before a request are read over, before each one anew."""
    data = b"\r\n" * number + get()
    assert len(read_every_way(data + data).requests) == 2


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\r\n" * (EMPTY_LINES + 1) + get(), id="one too many"),
        pytest.param(b"\r\n" * 1000, id="nothing else"),
        pytest.param(b"\r\n\n" + get(), id="a bare LF among them"),
        pytest.param(b"\r\r\n" + get(), id="a bare CR among them"),
        pytest.param(b"\r\n \r\n" + get(), id="a line of a space"),
    ],
)
def test_too_many_empty_lines(data: bytes) -> None:
    """Nobody holds a connection open with nothing, and only empty lines are empty."""
    assert refusal_of(data) == 400


@pytest.mark.parametrize("data", [b"\r", b"G", b"GET", b"GET /", get()[:-1], get()[:-2]])
def test_incomplete_heads(data: bytes) -> None:
    """What may become a head is waited for."""
    assert read_every_way(data) == Reading(ahead=data)


@pytest.mark.parametrize("data", [b" ", b"\t", b"G\x00", b"\x80", b"(", b"G:", b"\rG", b"\n"])
def test_hopeless_heads(data: bytes) -> None:
    """What can't become one is refused with its first bytes."""
    assert refusal_of(data) == 400


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framing", "body", "refused"),
    [
        pytest.param(b"Content-Length: 5", b"abcde", None, id="length of the limit"),
        pytest.param(b"Content-Length: 6", b"", 413, id="length over the limit, said"),
        pytest.param(CHUNKED, b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n", None, id="chunks of the limit"),
        pytest.param(CHUNKED, b"2\r\nab\r\n4\r\ncdef", 413, id="chunks over the limit"),
        pytest.param(CHUNKED, b"6\r\nabcdef", 413, id="chunk over the limit"),
    ],
)
def test_largest_body(framing: bytes, body: bytes, refused: int | None) -> None:
    """A body over the limit is refused as soon as that is known; each has its own count."""
    sizes = Sizes(max_body_bytes=5)
    data = post(b"Content-Length: 5", body=b"12345") + post(framing, body=body)
    assert read_every_way(data, sizes).refused == refused


@pytest.mark.parametrize(
    ("extra", "refused"), [pytest.param(0, None, id="limit"), pytest.param(1, 400, id="over it")]
)
def test_largest_trailers(extra: int, refused: int | None) -> None:
    """Trailers may be as large as a head."""
    trailer = b"X:" + b"y" * (60 - 6 + extra) + b"\r\n\r\n"
    data = post(CHUNKED, body=b"0\r\n" + trailer)
    assert read_every_way(data, Sizes(max_header_bytes=60)).refused == refused


def test_hold() -> None:
    """Requests that must wait are kept, until they are more than a head may be."""
    reader = RequestReader(Sizes(max_header_bytes=50))
    assert not reader.hold(b"x" * 30)
    assert not reader.hold(b"y" * 20)
    assert reader.hold(b"z")
    assert reader.ahead == b"x" * 30 + b"y" * 20 + b"z"


# --- reading a body away ----------------------------------------------------------------------


def begun(*lines: bytes) -> tuple[RequestReader, RequestHead]:
    """A reader that has just read the head of a POST with these lines."""
    reader = RequestReader(Sizes())
    head, rest = reader.read_head(post(*lines))
    assert head is not None
    assert rest == b""
    if head.has_body:
        reader.begin_body(head)
    return reader, head


@pytest.mark.parametrize(
    ("lines", "read_so_far", "worth"),
    [
        pytest.param((), b"", True, id="no body"),
        pytest.param((b"Content-Length: 5",), b"", True, id="small"),
        pytest.param((b"Content-Length: 5",), b"abcde", True, id="all of it read"),
        pytest.param((b"Content-Length: %d" % DISCARDED,), b"", True, id="just small enough"),
        pytest.param((b"Content-Length: %d" % (DISCARDED + 1),), b"", False, id="too large"),
        pytest.param((b"Content-Length: %d" % (DISCARDED + 1),), b"x", True, id="the rest is not"),
        pytest.param((CHUNKED,), b"", True, id="of unknown length"),
        pytest.param((b"Content-Length: 5", EXPECT), b"", False, id="waiting for 100"),
        pytest.param((b"Content-Length: 5", EXPECT), b"a", True, id="not waiting for it"),
        pytest.param((CHUNKED, EXPECT), b"", False, id="chunks that wait"),
        pytest.param((EXPECT,), b"", True, id="nothing that waits"),
    ],
)
def test_is_worth_reading(lines: tuple[bytes, ...], read_so_far: bytes, worth: bool) -> None:
    """The rest of a body is read away where it is little, and sure to be a body."""
    reader, head = begun(*lines)
    if reader.body is not None and read_so_far:
        reader.read_body(reader.body, read_so_far)
    assert reader.is_worth_reading(head) is worth


def test_discard() -> None:
    """A body is read away up to a limit, and one that is over is enough in no case."""
    reader, _ = begun(b"Content-Length: 5")
    assert not reader.discard(DISCARDED)
    assert reader.discard(1)
    assert reader.body is not None
    reader.read_body(reader.body, b"abcde")
    assert not reader.discard(1)


def test_discard_counts_each_body() -> None:
    """What was read away of one request is not held against the next."""
    reader, head = begun(b"Content-Length: 5")
    assert reader.discard(DISCARDED + 1)
    reader.begin_body(head)
    assert not reader.discard(DISCARDED)


# --- however the bytes are cut ------------------------------------------------------------------

PARTS = st.one_of(
    st.sampled_from(
        [
            get(), get(minor=0), get(b"Connection: close"), post(b"Content-Length: 3", body=b"abc"),
            post(CHUNKED, body=b"3\r\nabc\r\n0\r\n\r\n"), post(CHUNKED), post(b"Content-Length: 9"),
            message(b"GET / HTTP/2.0"), b"GET / HTTP/1.1\r\nHost: a\r\n", b"GET /", b"\r\n", b"\r",
            b"\n", b" ", b":", b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n", b"X: y\r\n", b"\x00",
            CHUNKED + b"\r\n", b"Content-Length: 3\r\n", b"Host: b\r\n", b"3;a=b\r\n", EXPECT,
            b"Connection: X\r\n",
        ]
    ),
    st.binary(max_size=8),
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PARTS, max_size=8), st.lists(st.integers(0, 300), max_size=6))
def test_cuts(parts: list[bytes], places: list[int]) -> None:
    """Where the bytes are cut changes nothing, and nothing but a refusal is ever raised."""
    data = b"".join(parts)
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    sizes = Sizes(max_header_bytes=120, max_body_bytes=20)
    whole = settled(read([data], sizes))
    assert settled(read(pieces, sizes)) == whole
    assert settled(read([data[at : at + 1] for at in range(len(data))], sizes)) == whole


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    """Random bytes are no request; what they raise is a refusal, with a status that fits."""
    reading = read([data], Sizes(max_header_bytes=100))
    assert reading.requests == ()
    assert reading.refused in (400, 414, 431, 505) or data.endswith(reading.ahead)
