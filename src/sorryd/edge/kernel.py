"""What the kernel does with a socket, and knows of it, beside reading and writing."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import sys
import termios
from typing import Final

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time
_LAST_READS: Final = 64
_READ: Final = 65536
_COUNT: Final = bytes(4)  # where the kernel writes an int


def unacknowledged(fd: int) -> int:
    """Bytes that the peer of a socket has not taken yet; 0 where the kernel does not say.

    It takes MiBs more than a slow peer: what it took says nothing of who reads (TIOCOUTQ of
    tcp(7), SIOCOUTQ of unix(7)).
    """
    try:
        return int.from_bytes(fcntl.ioctl(fd, termios.TIOCOUTQ, _COUNT), sys.byteorder)
    except OSError:
        return 0


def read_away(sock: socket.socket) -> None:
    """Drop what waits to be read, within limits.

    Bytes unread would make a close a reset, which can destroy an answer (RFC 9112 §9.6).
    """
    with contextlib.suppress(OSError):
        for _ in range(_LAST_READS):
            if not sock.recv(_READ):
                break


def reset_on_close(sock: socket.socket) -> None:
    """Let the close be a reset: the peer must not take what it got for whole."""
    with contextlib.suppress(OSError):  # it may be gone already, which is what is wanted
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
