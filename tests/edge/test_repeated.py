"""Field lines that come again on a connection: read once, and never taken for others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.reading import Sizes, Taken, message, taken

from sorryd.edge.bad_message import BadMessage
from sorryd.edge.repeated import LONGEST, LONGEST_SHARED, MOST_SHARED, Shared
from sorryd.edge.requests import RequestReader
from sorryd.policy.heads import KnownFields, RequestHead

HOST = b"Host: shop.example"
LINES = (
    HOST,
    b"Host: other.example",
    b"Accept: text/html",
    b"Connection: close",
    b"Connection: keep-alive, x-hop",
    b"Connection: upgrade",
    b"Upgrade: websocket",
    b"X-Hop: 1",
    b"Expect: 100-continue",
    b"Max-Forwards: 7",
    b"TE: trailers",
    b"X-Forwarded-For: 192.0.2.1",
    b"Cookie: a=b; __Host-sorryd-bypass=x.y",
    b"Sorryd-Bypass: x.y",
    b"Content-Length: 0",
    b"Content-Length: 3",
    b"Transfer-Encoding: chunked",
    b"content_length: 3",
    b" folded",
)


def read(reader: RequestReader, data: bytes) -> tuple[RequestHead | None, int | None]:
    """The head in `data`, or the status that it is refused with."""
    try:
        head, _ = reader.read_head(data)
    except BadMessage as why:
        return None, why.status
    return head, None


def value(head: RequestHead | None) -> tuple[Taken, object] | None:
    """All that is known of a head."""
    return None if head is None else (taken(head, b"", True, b""), head.tokens)


def spoil(head: RequestHead) -> None:
    """What the access log, stickiness and absolute targets do to a head."""
    head.lines.append(b"X-Request-ID: 1")
    del head.lines[0]
    head.host_at = -1
    head.sticky = b"x"
    head.target = b"/elsewhere"


heads = st.builds(
    lambda method, target, minor, lines: (
        b"%b %b HTTP/1.%d\r\n%b\r\n"
        % (method, target, minor, b"".join(line + b"\r\n" for line in lines))
    ),
    st.sampled_from([b"GET", b"OPTIONS", b"HEAD", b"POST", b"TRACE"]),
    st.sampled_from([b"/", b"/a?b", b"*", b"http://shop.example/", b"http://other.example", b"x"]),
    st.sampled_from([0, 1]),
    st.lists(st.sampled_from(LINES), max_size=4).map(lambda lines: [HOST, *lines]),
)


@given(st.lists(heads, min_size=1, max_size=3), st.lists(st.integers(0, 2), max_size=12))
def test_as_if_it_were_the_first(known: list[bytes], order: list[int]) -> None:
    """Whatever was read on a connection before, a head is read as on a new one."""
    reader = RequestReader(Sizes())
    for at in (0, 0, 0, *order):
        data = known[at % len(known)]
        head, refused = read(reader, data)
        fresh, expected = read(RequestReader(Sizes()), data)
        assert refused == expected
        assert value(head) == value(fresh)
        if head is not None:
            assert head.sticky is None
            spoil(head)


@pytest.mark.parametrize(
    ("size", "is_known"),
    [pytest.param(LONGEST, True, id="long"), pytest.param(LONGEST + 1, False, id="too long")],
)
def test_block(size: int, is_known: bool) -> None:
    """From the second time on the same lines are known as such; very long ones are not kept."""
    lines = HOST + b"\r\nX: "
    block = lines + b"y" * (size - len(lines))
    reader = RequestReader(Sizes())
    blocks = []
    for target in (b"/1", b"/2", b"/3"):
        head, _ = reader.read_head(message(b"GET %b HTTP/1.1" % target, block, host=None))
        assert head is not None
        assert head.target == target
        blocks.append(head.block)
    assert blocks == ([None, block, block] if is_known else [None, None, None])


def test_host_of_another_target() -> None:
    """The host of an absolute target is not that of a head with the same lines and none."""
    data = b"GET %b HTTP/1.0\r\nX-Nobody: says this\r\n\r\n"
    reader = RequestReader(Sizes())
    for target, host in [(b"http://a.example/", b"a.example"), (b"/", b"")] * 3:
        head, _ = reader.read_head(data % target)
        assert head is not None
        assert (head.target, head.host, head.host_at) == (b"/", host, 0 if host else -1)


def known(reader: RequestReader, data: bytes) -> RequestHead:
    """The head in `data`, read so often that it is known."""
    for _ in range(2):
        reader.read_head(data)
    head, rest = reader.read_head(data)
    assert head is not None
    assert head.as_known is not None
    assert not rest
    return head


FIRST = b"GET /a HTTP/1.1\r\nHost: shop.example\r\nX-Of: test_never_another_one\r\n\r\n"


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(FIRST.replace(b"one\r", b"two\r"), id="the last byte"),
        pytest.param(FIRST.replace(b"Host: s", b"Host: S"), id="a byte"),
        pytest.param(FIRST.replace(b"GET", b"HEAD"), id="HEAD"),
        pytest.param(FIRST.replace(b"GET", b"get"), id="another method"),
        pytest.param(FIRST.replace(b"/a", b"/a b"), id="a space in the target"),
        pytest.param(FIRST.replace(b"/a", b"/a#b"), id="a fragment"),
        pytest.param(FIRST.replace(b"/a", b"/\x7f"), id="no visible byte"),
        pytest.param(FIRST.replace(b"/a", b""), id="no target"),
        pytest.param(FIRST.replace(b"/a", b"a"), id="no path"),
        pytest.param(FIRST.replace(b"/a", b"*"), id="an asterisk"),
        pytest.param(FIRST.replace(b"/a", b"http://other.example/"), id="an absolute target"),
        pytest.param(FIRST.replace(b"1.1", b"1.0"), id="HTTP/1.0"),
        pytest.param(FIRST.replace(b"1.1", b"1.2"), id="another version"),
        pytest.param(FIRST[:-2] + b"Content-Length: 2\r\n\r\nhi", id="a body"),
        pytest.param(
            FIRST.replace(b"/a", b"/b HTTP/1.1\r\nHost: x\r\n\r\nGET /a"), id="two requests"
        ),
        pytest.param(FIRST.replace(b"/a", b"/b HTTP/1.1\r\nX: y"), id="a head in a target"),
        pytest.param(b"\r\n" + FIRST, id="an empty line"),
    ],
)
def test_never_another_one(other: bytes) -> None:
    """What differs in one byte from what is known is read as if nothing was."""
    reader = RequestReader(Sizes())
    known(reader, FIRST)
    head, refused = read(reader, other)
    fresh, expected = read(RequestReader(Sizes()), other)
    assert (value(head), refused) == (value(fresh), expected)
    assert reader.ahead == b""
    assert known(reader, FIRST).target == b"/a"


def test_limit() -> None:
    """No head that is known gets around the limit, which may have changed meanwhile."""
    reader = RequestReader(Sizes())
    known(reader, FIRST)
    reader.limits = Sizes(max_header_bytes=len(FIRST))
    assert read(reader, FIRST)[1] is None
    assert read(reader, FIRST.replace(b"/a", b"/ab"))[1] == 431


def test_on_all_connections() -> None:
    """What many say is known of all of them, but for what says who they are."""
    lines = (b"X-Of: test_on_all_connections",)
    everybodys = message(b"GET /a HTTP/1.1", *lines)
    known(RequestReader(Sizes()), everybodys)
    head, _ = RequestReader(Sizes()).read_head(everybodys)
    assert head is not None
    assert head.as_known is not None
    for own in (b"Cookie: a=b", b"authorization: Basic x", b"Sorryd-Bypass: x.y"):
        somebodys = message(b"GET /a HTTP/1.1", *lines, own)
        known(RequestReader(Sizes()), somebodys)
        head, _ = RequestReader(Sizes()).read_head(message(b"GET /b HTTP/1.1", *lines, own))
        assert head is not None
        assert head.block is not None  # it is on this one: it came a second time
        assert head.known is not known(RequestReader(Sizes()), somebodys).known


def test_lines_of_ones_own() -> None:
    """Who asks for lines may change them: the head is then not the known one any more."""
    reader = RequestReader(Sizes())
    head = known(reader, FIRST)
    assert head.seen is known(reader, FIRST).seen
    assert head.as_known is not None
    head.lines.append(b"X-Request-ID: 1")
    assert head.as_known is None
    assert head.seen[-1] == b"X-Request-ID: 1"
    assert known(reader, FIRST).seen[-1] != b"X-Request-ID: 1"
    assert value(known(reader, FIRST)) == value(read(RequestReader(Sizes()), FIRST)[0])


def test_shared_are_few() -> None:
    """However many visitors say something of their own twice, little of that is kept."""
    shared = Shared()
    for n in range(3 * MOST_SHARED):
        behind = b" HTTP/1.1\r\nX: %d\r\n\r\n" % n
        assert not shared.is_second(behind)
        assert shared.is_second(behind)
        shared.keep(KnownFields(RequestHead(b"GET", b"/", 1), behind))
        assert shared.find(behind) is not None
        assert shared.remembered <= MOST_SHARED
    behind = b" HTTP/1.1\r\nX: %b\r\n\r\n" % (b"y" * LONGEST_SHARED)
    shared.keep(KnownFields(RequestHead(b"GET", b"/", 1), behind))
    assert shared.find(behind) is None


def test_every_byte_of_a_target() -> None:
    """Behind what is known, a target is made of exactly what it is made of otherwise."""
    reader = RequestReader(Sizes())
    known(reader, FIRST)
    for n in range(256):
        data = FIRST.replace(b"/a", b"/a%c" % n)
        head, refused = read(reader, data)
        fresh, expected = read(RequestReader(Sizes()), data)
        assert (value(head), refused) == (value(fresh), expected)
        reader = RequestReader(Sizes())
        known(reader, FIRST)
