"""What the kernel does with a socket, and knows of it, beside reading and writing."""

from __future__ import annotations

import _socket
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from typing import Final

Socket = _socket.socket
"""What `socket.socket` inherits from. That adds to it, in Python, enumerations and makefile(): to
make and close one takes twice as long as the system calls do."""

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time
_LAST_READS: Final = 64
_READ: Final = 65536
_COUNT: Final = bytes(4)  # where the kernel writes an int


def unacknowledged(fd: int) -> int:
    """Bytes that the peer of a socket has not taken yet; 0 where the kernel does not say.

    It takes MiBs more than a slow peer: what it took says nothing of who reads (TIOCOUTQ of
    tcp(7), SIOCOUTQ of unix(7)).
    """
    if fd < 0:
        return 0  # closed
    try:
        return int.from_bytes(fcntl.ioctl(fd, termios.TIOCOUTQ, _COUNT), sys.byteorder)
    except OSError:
        return 0


def accept(listening: socket.socket, family: int) -> tuple[Socket, str]:
    """The next connection of a listening socket of `family`, non-blocking, and its peer's address.

    The address has no port; it is empty where the peer came by a UNIX socket. Raises OSError.
    """
    fd, name = listening._accept()  # type: ignore[attr-defined]  # what its `accept` calls
    sock = Socket(family, socket.SOCK_STREAM, 0, fd)
    sock.setblocking(False)
    if family == socket.AF_INET:
        return sock, name[0]
    # The zone of a link-local address (RFC 4007 §11) means nothing to others.
    return sock, name[0].partition("%")[0] if family == socket.AF_INET6 else ""


def read_away(sock: Socket) -> None:
    """Drop what waits to be read, within limits.

    Bytes unread would make a close a reset, which can destroy an answer (RFC 9112 §9.6). The
    socket may be closed already.
    """
    with contextlib.suppress(OSError):
        for _ in range(_LAST_READS):
            if not sock.recv(_READ):
                break


def reset_on_close(sock: Socket) -> None:
    """Let the close be a reset: the peer must not take what it got for whole."""
    with contextlib.suppress(OSError):  # it may be gone already, which is what is wanted
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
