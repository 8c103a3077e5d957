"""The C library's allocator, told to keep what it will need again at once.

A bulk read takes a buffer of `transport.READ_BULK` bytes and gives it back when the kernel has
taken what is in it. By default glibc returns such buffers to the kernel each time, and each
new one is paid for in page faults: more than a third of the processor time of a 1 MiB answer.
"""

from __future__ import annotations

import ctypes
from typing import Final

KEPT: Final = 16 << 20
"""Bytes of freed memory that are kept at the most."""

LARGE: Final = 4 << 20
"""Blocks from this size on are still mapped, and given back, one by one."""

_M_TRIM_THRESHOLD: Final = -1  # mallopt(3)
_M_MMAP_THRESHOLD: Final = -3


def keep_buffers() -> bool:
    """Keep freed buffers; False where the C library has no such setting (musl)."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_TRIM_THRESHOLD, KEPT) and mallopt(_M_MMAP_THRESHOLD, LARGE))
