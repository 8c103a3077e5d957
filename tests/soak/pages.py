"""What members give at each target, known to those who ask: no two alike, and checked whole."""

from __future__ import annotations

import hashlib
from typing import Final

SITES: Final = ("shop.example", "blog.example")
PIECES: Final = 8
"""Of an answer that comes piece by piece."""


def body(target: str) -> bytes:
    """The page at ``/page/SIZE/...``: so many bytes."""
    size = int(target.split("/")[2])
    return (hashlib.sha256(target.encode()).digest() * (size // 32 + 1))[:size]


def receipt(data: bytes) -> bytes:
    """What is answered to a body that was sent."""
    return f"{len(data)} {hashlib.sha256(data).hexdigest()}".encode()


def piece(target: str, number: int) -> bytes:
    """One of the pieces of ``/events/...``."""
    return f"data: {target} {number}\n\n".encode()


def events(target: str) -> bytes:
    """All of them."""
    return b"".join(piece(target, number) for number in range(PIECES))
