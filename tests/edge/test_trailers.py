"""Which fields may stand behind a body (RFC 9110 §6.5)."""

from __future__ import annotations

import pytest

from sorryd.edge.known_fields import REQUEST_FIELDS, RESPONSE_FIELDS
from sorryd.edge.trailers import passed_on


@pytest.mark.parametrize(
    "line",
    [
        b"X-Checksum: 1", b"Server-Timing: a", b"ETag: x", b"Digest: sha-256=x", b"Grpc-Status: 0",
        b"Content-Digest: x", b"Repr-Digest: x", b"Authentication-Info: x", b"X:", b"X: Host: b",
        b"x-content-length: 5", b"Iffy: 1", b"Accepted: 1", b"Secret: 1", b"X-Forwards: 1",
        b"Hosts: 1", b"ageing: 1",
    ],
)  # fmt: skip
def test_passed_on(line: bytes) -> None:
    """What can wait until a body's end."""
    assert passed_on(line + b"\r\n") == line + b"\r\n"


@pytest.mark.parametrize(
    "name",
    [
        # what RFC 9110 §6.5.1 names: framing, routing, authentication, request modifiers,
        # response control, content
        b"Content-Length", b"Transfer-Encoding", b"Trailer", b"Host", b"Authorization",
        b"Proxy-Authorization", b"WWW-Authenticate", b"Proxy-Authenticate", b"Cookie",
        b"Set-Cookie", b"Cache-Control", b"Expect", b"Max-Forwards", b"Pragma", b"Range", b"TE",
        b"If-Match", b"If-None-Match", b"If-Modified-Since", b"If-Unmodified-Since", b"If-Range",
        b"Age", b"Date", b"Expires", b"Location", b"Retry-After", b"Vary", b"Warning",
        b"Content-Encoding", b"Content-Type", b"Content-Range", b"Content-Language",
        b"Content-Location", b"Content-Digests",
        # what is a connection's, or sorryd's own
        b"Connection", b"Keep-Alive", b"Proxy-Connection", b"Upgrade", b"HTTP2-Settings", b"Proxy",
        b"Via", b"Forwarded", b"X-Forwarded-For", b"X-Forwarded-Anything", b"X-Real-IP",
        b"Sorry-Cause",
        # what browsers decide by
        b"Origin", b"Referer", b"Sec-Fetch-Site", b"Access-Control-Allow-Origin",
        b"Strict-Transport-Security", b"Content-Security-Policy", b"Refresh",
        # what applications take for the target
        b"X-Original-URL", b"X-Rewrite-URL",
    ],
)  # fmt: skip
def test_dropped(name: bytes) -> None:
    """What must be known before a body; however it is spelt."""
    for spelt in (name, name.upper(), name.lower(), name.replace(b"-", b"_")):
        assert passed_on(b"A: 1\r\n%b: 1\r\nB: 2\r\n" % spelt) == b"A: 1\r\nB: 2\r\n"


def test_what_sorryd_understands() -> None:
    """Nothing that is judged in a head gets by as a trailer."""
    for name in (*REQUEST_FIELDS, *RESPONSE_FIELDS):
        assert passed_on(name + b": 1\r\n") == b""
