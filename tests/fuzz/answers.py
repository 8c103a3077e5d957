"""Answers by a grammar of HTTP/1, and the lies of members."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.fuzz import requests

_SWITCHED: Final = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: a"
FIRST: Final = (
    *(_SWITCHED,) * 2,
    *(b"HTTP/1.1 200 OK",) * 16, *(b"HTTP/1.0 200 OK",) * 2, b"HTTP/1.1 204 No",
    b"HTTP/1.1 304 Not", b"HTTP/1.1 404 ", b"HTTP/1.1 301 Moved", b"HTTP/1.1 503 Busy",
    b"HTTP/1.1 426 Upgrade", b"HTTP/1.1 101 Switching", b"HTTP/1.1 206 Part", b"HTTP/1.1 200",
    b"HTTP/1.1 200 \x80\t",
)  # fmt: skip
ODD_FIRST: Final = (
    b"HTTP/1.1 099 Low", b"HTTP/1.1 1000 High", b"HTTP/2.0 200 OK", b"HTTP/1.1  200 OK",
    b"ICY 200 OK", b"http/1.1 200 OK", b"HTTP/1.1 20 OK", b"HTTP/1.1 2\xb200 OK",
    b"HTTP/1.1 200 O\x00K", b"200 OK", b"HTTP/1.1 600 Odd", b"HTTP/1.1 200\tOK", b"HTTP/1.2 200 OK",
    b"HTTP/1.1 199 Early", b"HTTP/1.1",
)  # fmt: skip
GOOD: Final = (
    b"Connection: close", b"Connection: keep-alive", b"Connection: X-Hop", b"X-Hop: 1", b"Date: x",
    b"Location: http://a/app/x", b"Location: //a/app/..", b"Refresh: 0;url=http://a/app/",
    b"X: \x80", b"Set-Cookie: a=b; Path=/app; Domain=a", b"Set-Cookie: SRV=1", b"Content-Type: a/b",
    b"ETag: x", b"Trailer: X-Sum", b"Upgrade: a", b"Connection: Upgrade", b"Upgrade: websocket",
    b"Via: 1.1 x",
)  # fmt: skip
BEFORE: Final = (
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n",
    b"HTTP/1.1 102 \r\n\r\n", b"HTTP/1.1 100 C\r\nContent-Length: 3\r\n\r\n",
    b"HTTP/1.0 100 C\r\n\r\n", b"\r\n", b"HTTP/1.1 101 X\r\n\r\n",
    b"HTTP/1.1 199 X\r\nTransfer-Encoding: chunked\r\n\r\n",
)  # fmt: skip
WORDS: Final = (*requests.WORDS, *FIRST, *ODD_FIRST, *BEFORE, *GOOD)


def answer(random: Random, tricks: int) -> bytes:
    """An answer with so many `tricks`; one with none is as it should be."""
    odd = random.choices(
        ("field", "field", "chunks", "chunks", "first", "before", "behind"), k=tricks
    )
    first = random.choice(ODD_FIRST if "first" in odd else FIRST)
    lines = random.choices(GOOD, k=random.choice((0, 0, 1, 2, 3)))
    lines += random.choices(requests.TRICKS, k=odd.count("field"))
    framing, body = _framed(random, "chunks" in odd)
    lines += framing
    random.shuffle(lines)
    before = random.choice(BEFORE) if "before" in odd or random.random() < 0.05 else b""
    behind = random.choice(WORDS) if "behind" in odd else b""
    return before + b"\r\n".join((first, *lines, b"", body)) + behind


def _framed(random: Random, are_odd: bool) -> tuple[list[bytes], bytes]:
    """Field lines and the body that they announce; with none, it ends with the connection."""
    kind = random.randrange(7)
    data = random.choice(requests.DATA)
    if kind < 3:
        return [b"Content-Length: %d" % len(data)], data
    if kind < 6:
        return [b"Transfer-Encoding: chunked"], requests.chunks(random, are_odd)
    return [], data
