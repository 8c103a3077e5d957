"""WebSocket messages of one size, as the bench's own two ends send them (RFC 6455).

All have 1 KiB, binary, in one frame, so that both ends know where one ends by counting.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY, ACCEPTED = b"dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 s. 1.3
SIZE = 1024
_SERVER_HEAD = b"\x82\x7e" + SIZE.to_bytes(2, "big")
_CLIENT_HEAD = b"\x82\xfe" + SIZE.to_bytes(2, "big")
_MASKED = len(_CLIENT_HEAD) + 4 + SIZE  # bytes of a visitor's frame
ECHOED = len(_SERVER_HEAD) + SIZE  # and of a member's


def asked(payload: bytes) -> bytes:
    """The frame of a visitor. Its mask is zero, which changes nothing and costs nothing."""
    if len(payload) != SIZE:
        raise ValueError(f"a message has {SIZE} bytes, not {len(payload)}")
    return _CLIENT_HEAD + bytes(4) + payload


def answered(payload: bytes) -> bytes:
    """The frame of a member."""
    return _SERVER_HEAD + payload


def echo(data: bytes) -> tuple[bytes, bytes]:
    """The member's frames for the visitor's whole ones in `data`, and what is left of it."""
    whole = len(data) - len(data) % _MASKED
    begins = range(_MASKED - SIZE, whole, _MASKED)
    return b"".join(answered(data[at : at + SIZE]) for at in begins), data[whole:]


def run(main: Coroutine[None, None, None]) -> None:
    """Run it in uvloop's loop where that is installed."""
    make = None
    with contextlib.suppress(ImportError):
        import uvloop

        make = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(main)
