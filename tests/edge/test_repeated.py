"""Field lines that come again on a connection: read once, and never taken for others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.reading import Sizes, Taken, message, taken

from sorryd.edge.heads import BadMessage, RequestHead
from sorryd.edge.repeated import LONGEST
from sorryd.edge.requests import RequestReader

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
