"""Short plain answers to requests that no member gets to see (RFC 9110 §15.5, §15.6)."""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import Final

_MORE: Final = {  # lines that a status asks for
    405: "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, PATCH\r\n",
    503: "Retry-After: 1\r\n",  # too many connections: that may be over in a moment
}


@functools.lru_cache(maxsize=128)
def refusal(status: int, why: str, head_only: bool) -> bytes:
    """A whole response, after which the connection is closed. `why` is a sentence of ours."""
    phrase = HTTPStatus(status).phrase
    body = f"{status} {phrase}: {why}\n".encode()
    head = (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\n{_MORE.get(status, '')}"
        f"Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if head_only else body)
