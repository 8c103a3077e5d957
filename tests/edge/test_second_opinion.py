"""Another reader of HTTP/1 never understands otherwise what was let through."""

from __future__ import annotations

import httptools
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.edge import llhttp
from tests.edge.reading import get, message, read

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.bodies import LAST_CHUNK, ChunkedReader, UntilEndReader, chunk, in_chunks
from sorryd.edge.http1 import head_end, read_response
from sorryd.policy.headers import response_head

CHUNKED = b"Transfer-Encoding: chunked"
EXPECT = b"Expect: 100-continue"

# --- chunks -----------------------------------------------------------------------------------

SIZES = st.sampled_from([b"0", b"1", b"2", b"3", b"a", b"0a", b"000", b"10", b"f" * 16])
EXTENSIONS = st.sampled_from(
    [b""] * 12 + [b";a", b";a=b", b';a="b"', b" ;a", b";", b" ", b";a\n", b";a=\x80"]
)
LINE_ENDS = st.sampled_from([b"\r\n"] * 20 + [b"\n", b"\r", b"", b"\r\r\n"])
DATA = st.one_of(st.binary(max_size=4), st.sampled_from([b"\r\n", b"0\r\n\r\n", b"a" * 10]))
TRAILERS = st.sampled_from(
    [b"", b"", b"X: y\r\n", b"X:\r\nY: z\r\n", b" x\r\n", b"x\n", b": \r\n", b"Host: b\r\n",
     b"X-Forwarded-For: 127.0.0.1\r\n", b"Content-Length: 3\r\n", b"Connection: close\r\n"]
)  # fmt: skip


@st.composite
def chunked_bodies(draw: st.DrawFn) -> bytes:
    """Chunks that are mostly as they should be."""
    body = b""
    for data in draw(st.lists(DATA, max_size=4)):
        said = st.just(b"%x" % len(data))
        size = draw(st.one_of(said, said, said, SIZES))
        body += size + draw(EXTENSIONS) + draw(LINE_ENDS) + data + draw(LINE_ENDS)
    return body + b"0" + draw(EXTENSIONS) + draw(LINE_ENDS) + draw(TRAILERS) + draw(LINE_ENDS)


@settings(max_examples=300)
@given(st.one_of(chunked_bodies(), st.binary(max_size=40)))
def test_chunks(data: bytes) -> None:
    """llhttp takes every chunked body that we take for the same, to the byte where it ends."""
    reader = ChunkedReader(400, 200)
    try:
        body = reader.feed(data)
    except BadMessage:
        return
    if not reader.done:
        return
    whole = data[: len(data) - len(reader.rest)]
    try:
        heard = llhttp.requests(message(b"POST / HTTP/1.1", CHUNKED) + whole)
    except httptools.HttpParserError:
        # It is stricter about extensions, their spaces and framing in trailers; no member ever
        # gets to see any.
        assert b";" in whole or b"Content-Length" in whole
        return
    assert [one.body for one in heard] == [body]


@settings(max_examples=300)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5))
def test_our_chunks(pieces: list[bytes]) -> None:
    """What we write as chunks, llhttp reads as what it was."""
    head = message(b"HTTP/1.1 200 OK", CHUNKED)
    (heard,) = llhttp.answers(head, *(chunk(piece) for piece in pieces), LAST_CHUNK)
    assert heard.body == b"".join(pieces)


# --- requests -----------------------------------------------------------------------------------

METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"OPTIONS", b"M-SEARCH", b"FOO"])
TARGETS = st.sampled_from(
    [b"/", b"/a?b=%2f", b"//a/../b", b"*", b"http://a/b", b"http://a", b"http://b/", b"a:80", b"?"]
)
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0"])
REQUEST_LINES = st.builds(lambda *words: b" ".join(words), METHODS, TARGETS, VERSIONS)
VALUES = st.one_of(
    st.sampled_from(
        [b"", b"a", b"5", b"0", b"3", b"+3", b"3, 3", b"chunked", b"gzip, chunked", b"identity",
         b"close", b"keep-alive", b"upgrade", b"websocket", b"h2c", b"100-continue", b"x, host",
         b"content-length", b"transfer-encoding", b"chunked\x0b", b" \t3\t ", b"3\r\n 4", b"a\rb"]
    ),
    st.binary(max_size=6),
)  # fmt: skip
NAMES = st.sampled_from(
    [b"Content-Length", b"content-length", b"Content_Length", b"Transfer-Encoding", b"Connection",
     b"Connection", b"Upgrade", b"Expect", b"Host", b"X", b"X-Forwarded-For", b"TE", b"Trailer",
     b"Content-Length ", b" Content-Length", b"Proxy-Connection", b"\x00", b""]
)  # fmt: skip
GOOD = st.sampled_from(
    [b"Content-Length: 3", CHUNKED, b"Connection: close", b"Connection: x, upgrade", b"x: y",
     CHUNKED, CHUNKED, b"Upgrade: a", EXPECT, b"Content-Length: 0", b"X-Forwarded-For: b",
     b"A:\t\x80 "]
)  # fmt: skip
LINES = st.one_of(GOOD, GOOD, st.builds(lambda name, value: name + b": " + value, NAMES, VALUES))
LISTS = st.one_of(st.lists(LINES, max_size=4), st.lists(GOOD, max_size=3, unique=True))
BODIES = st.one_of(
    st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n"]),
    st.builds(lambda lines: b"0\r\n" + b"".join(lines) + b"\r\n", st.lists(TRAILERS, max_size=3)),
    st.builds(lambda *parts: b"".join(parts), st.just(b"abc"), st.just(get())),
)


@settings(max_examples=300)
@given(REQUEST_LINES, LISTS, BODIES, st.booleans())
def test_requests(line: bytes, lines: list[bytes], body: bytes, with_host: bool) -> None:
    """A member that reads as llhttp does sees the requests that we saw, and no other.

    It does not tell trailers from fields of the head: none of them may mislead it.
    """
    data = message(line, *lines, host=b"a" if with_host else None) + body + get()
    taken = [request for request in read([data]).requests if request.whole]
    passed = b""
    for request in taken:
        coded = in_chunks(request.body, True, request.trailers)
        # Not every method that we pass on is in llhttp's list.
        passed += b"POST" + request.passed.removeprefix(request.method)
        passed += coded if request.chunked else request.body
    heard = llhttp.requests(passed)
    assert [(one.target, one.body) for one in heard] == [
        (request.target, request.body) for request in taken
    ]
    for request, one in zip(taken, heard, strict=True):
        assert one.keep_alive
        has_host = any(line.lower().startswith(b"host:") for line in request.lines)
        host = one.field(b"host")
        assert host is not None
        # A tab at its end is llhttp's to keep, and no part of it (RFC 9110 §5.5).
        assert host.strip(b" \t") == (request.host if has_host else b"member:80")
        assert one.field(b"x-forwarded-for") == b"192.0.2.1"


# --- answers ------------------------------------------------------------------------------------

STATUS_LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK"] * 4
    + [b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No", b"HTTP/1.1 304 Not", b"HTTP/1.1 404"]
    + [b"HTTP/1.1 426 ", b"HTTP/1.1 099 Low", b"HTTP/2.0 200 OK"]
)


def relayed(data: bytes) -> tuple[int, bytes, bytes]:
    """The status and body of a member's answer, and what a visitor gets; raises BadMessage."""
    end = head_end(data, 4096)
    head = read_response(data, end, False)
    rest = data[end:]
    if head.length is not None:
        body = rest[: head.length]
        assume(len(body) == head.length)
        return head.status, body, response_head(head, False, b"") + body
    reader = ChunkedReader(502, 200) if head.chunked else UntilEndReader()
    body = reader.feed(rest)
    assume(reader.done is head.chunked)
    coded = (chunk(body) if body else b"") + LAST_CHUNK
    return head.status, body, response_head(head, True, b"") + coded


@settings(max_examples=300)
@given(STATUS_LINES, LISTS, BODIES)
def test_answers(line: bytes, lines: list[bytes], body: bytes) -> None:
    """A visitor who reads as llhttp does sees the answer that we saw."""
    data = message(line, *lines, host=None) + body
    try:
        status, taken, passed = relayed(data)
    except BadMessage:
        return
    heard = llhttp.answers(passed)
    assert [(h.status, h.body) for h in heard] == [(status, taken)]
