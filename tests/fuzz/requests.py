"""Requests by a grammar of HTTP/1, and the tricks of those who smuggle them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

METHODS: Final = (
    *(b"GET",) * 8, *(b"POST",) * 8, *(b"PUT",) * 3, b"HEAD", b"HEAD", b"DELETE", b"OPTIONS",
    b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"M-SEARCH", b"FOO", b"get", b"PRI", b"REPORT",
)  # fmt: skip
TARGETS: Final = (
    *(b"/",) * 5, b"/a?b=%2f", b"//a/../b;c", b"/%00", b"/\x80\xff", b"http://shop.example/x", b"*",
    b"/" + b"x" * 60, b"/?a#b", b"http://shop.example", b"HTTP://SHOP.example:80?q",
    b"shop.example:80", b"http://other.example/", b"http://user@shop.example/", b"", b"/a b",
    b"http:///", b"/\\..\\", b"https://shop.example/%0d%0a", b"?", b"/*",
)  # fmt: skip
VERSIONS: Final = (
    *(b"HTTP/1.1",) * 24, *(b"HTTP/1.0",) * 4, b"HTTP/1.2", b"HTTP/2.0", b"HTTP/0.9", b"http/1.1",
    b"HTTP/1.1 ", b"HTTP/1.10", b"HTTP/1.01", b"HTTP/1,1", b"", b"ICE/1.0", b"RTSP/1.0",
)  # fmt: skip
_UPGRADE: Final = b"Connection: Upgrade\r\nUpgrade: websocket"
GOOD: Final = (
    *(_UPGRADE,) * 3,
    b"Connection: close", b"Connection: keep-alive", b"Connection: Keep-Alive, X-Hop", b"X-Hop: 1",
    b"Connection: Upgrade", b"Upgrade: websocket", b"Upgrade: a/1, b", b"Expect: 100-continue",
    b"TE: trailers", b"TE: trailers, gzip;q=0.5", b"Max-Forwards: 3", b"Trailer: X-Sum",
    b"Cookie: a=b; SRV=xyz; c=d", b"Cookie: SRV=", b"X-Forwarded-For: 10.0.0.1, 203.0.113.9",
    b"X-Forwarded-Proto: https", b"X-Forwarded-Host: other.example", b"X-Request-ID: abc-1",
    b'Forwarded: for="[2001:db8::1]:80";proto=https;host=a', b"User-Agent: f\xfczz/1.0 (\"q\")",
    b"Referer: http://a/\x80", b"Accept: */*", b"X-Empty:", b"A:\t\x80 ", b"Content-Type: a/b",
)  # fmt: skip
TRICKS: Final = (
    b"Content-Length: 3", b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: +3",
    b"Content-Length: -1", b"Content-Length: 3, 3", b"Content-Length: 3,4", b"Content-Length: 0x3",
    b"Content-Length: 03", b"Content-Length: 3 ", b"Content-Length:3", b"Content-Length:\t3\t",
    b"Content-Length: 3 3", b"Content-Length : 3", b" Content-Length: 3", b"content-length: 3",
    b"Content-Length:", b"Content-Length: 3\x0b", b"Content-Length: \xb3", b"Content_Length: 3",
    b"Content-Length: 99999999999999999999", b"Content-Length: 9223372036854775808",
    b"Content-Length: 1e1", b"Content-Length: 3;", b'Content-Length: "3"', b"Content-Length\x00: 3",
    b"X: y\r\n Content-Length: 3", b"X: y\nContent-Length: 3", b"X: y\rContent-Length: 3",
    b"Transfer-Encoding: chunked", b"transfer-encoding: CHUNKED", b"Transfer-Encoding:chunked",
    b"Transfer-Encoding: chunked ", b"Transfer-Encoding : chunked", b" Transfer-Encoding: chunked",
    b"Transfer-Encoding:\tchunked", b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: identity",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding:",
    b"Transfer-Encoding: chunked;q=1", b'Transfer-Encoding: "chunked"',
    b"Transfer_Encoding: chunked", b"Transfer-Encoding: chunked\x00",
    b"Transfer-Encoding: chun\xc7\xb4ked", b"Transfer-Encoding\t: chunked",
    b"Transfer-Encoding:\r\n chunked", b"X: y\nTransfer-Encoding: chunked",
    b"\x00Transfer-Encoding: chunked", b"Connection: Content-Length",
    b"Connection: Transfer-Encoding", b"Connection: close, Content-Length", b"Connection: Host",
    b"Connection: X-Forwarded-For", b"Connection: cookie, x-request-id",
    b"Proxy-Connection: keep-alive", b"Keep-Alive: timeout=5", b"TE: chunked", b"Connection: TE",
    b"Host: other.example", b"Host: a, b", b"Host:", b"Host : a", b"Host: a@b", b"Host: [::1]:80",
    b"Expect: 200-ok", b"Expect: 100-Continue ", b"Upgrade: h2c", b"HTTP2-Settings: AAA",
    b"Proxy: x", b"Max-Forwards: 0", b"Max-Forwards: x", b"X-Forwarded_For: 1.2.3.4",
    b"X-Original-URL: /admin", b":method: GET", b"No colon", b": empty", b"\xff: y", b"X: \x00",
    b"X: a\x7fb", b"X:" + b"y" * 3000,
)  # fmt: skip
SIZES: Final = (
    b"+3", b"0x3", b"-1", b"3 ", b" 3", b"03", b"00000003", b"3\t", b"3;", b"3;a", b'3;a="\r\n"',
    b"3\x0b", b"3;a=b;c=\"d\"", b"3 ;a", b"f" * 16, b"1" + b"0" * 16, b"G", b"", b"3\x00", b"3;a\n",
    b"3\n", b"3;\x80",
)  # fmt: skip
TRAILERS: Final = (
    b"X-Sum: 1\r\n", b"Content-Digest: x\r\n", b"ETag: 1\r\nZ: 2\r\n",
    b"X-Forwarded-For: 1.1.1.1\r\n", b"Content-Length: 3\r\n", b" folded\r\n", b"X\r\n",
    b"Transfer-Encoding: chunked\r\n", b"X: y\n", b"X: \x00\r\n",
)  # fmt: skip
DATA: Final = (
    b"", b"a", b"abc", b"hello world", b"\r\n", b"0\r\n\r\n", b"\r\n0\r\n\r\n", b"\x00" * 9,
    b"x" * 300, b"GET /evil HTTP/1.1\r\nHost: shop.example\r\n\r\n", b"\n",
    b"3\r\nabc\r\n0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n",
)  # fmt: skip
WORDS: Final = (
    *TRICKS,
    *SIZES,
    *TRAILERS,
    *DATA,
    *GOOD,
    b"0\r\n",
    b"HTTP/1.1\r\n",
    b"GET / HTTP/1.1\r\n",
)

ODD_PLACES: Final = (*("field",) * 5, *("chunks",) * 4, "target", "version", "method", "host")
"""Where a trick may be."""


def chunks(random: Random, are_odd: bool) -> bytes:
    """A body in the chunked coding; `are_odd`: with what is at the edge of it, or past it."""
    coded = b""
    for _ in range(random.randint(0, 3)):
        data = random.choice(DATA) or b"z"
        size = b"%x" % len(data)
        if are_odd and random.random() < 0.3:
            size = random.choice(SIZES).replace(b"3", size)
        coded += size + b"\r\n" + data + b"\r\n"
    last = random.choice((b"00", b"0;a", b"0 ", b"000", b"-0", b"")) if are_odd else b"0"
    if not are_odd or random.random() < 0.7:
        last = b"0"
    trailers = random.choice(TRAILERS if are_odd else TRAILERS[:4])
    if random.random() < 0.7:
        trailers = b""
    return coded + last + b"\r\n" + trailers + b"\r\n"


def framed(random: Random, method: bytes, are_odd: bool) -> tuple[list[bytes], bytes]:
    """Field lines and the body that they announce."""
    kind = random.randrange(6)
    if kind < 2 or (method in (b"GET", b"HEAD", b"TRACE") and random.random() < 0.8):
        return [], b""
    if kind < 4:
        data = random.choice(DATA)
        return [b"Content-Length: %d" % len(data)], data
    return [b"Transfer-Encoding: chunked"], chunks(random, are_odd)


def request(random: Random, tricks: int = 0) -> bytes:
    """A request with so many `tricks`; of which 0 is one that is mostly as it should be."""
    odd = random.choices(ODD_PLACES, k=tricks)
    method = random.choice(METHODS if "method" in odd else METHODS[:24])
    lines, body = framed(random, method, "chunks" in odd)
    lines += random.choices(GOOD, k=random.choice((0, 0, 1, 2, 4)))
    lines += random.choices(TRICKS, k=odd.count("field"))
    random.shuffle(lines)
    if "host" not in odd:
        lines.insert(0, b"Host: shop.example")
    target = random.choice(TARGETS if "target" in odd else TARGETS[:10])
    version = random.choice(VERSIONS if "version" in odd else VERSIONS[:28])
    return b"\r\n".join((b" ".join((method, target, version)), *lines, b"", body))


def stream(random: Random, tricks: Sequence[int]) -> bytes:
    """Some requests one after the other."""
    between = (b"", b"", b"", b"", b"", b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\x00", b"\r")
    return b"".join(
        request(random, few) + (random.choice(between) if few else b"") for few in tricks
    )
