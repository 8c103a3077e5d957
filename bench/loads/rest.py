"""Connections at rest: ``python -m bench.loads.rest PORT COUNT``.

Each asks once and is kept alive after its answer, for as long as this program runs; that all are
there is said in a line.
"""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import sys
import threading

_DESCRIPTORS = 65536  # enough for two of each of many connections, as proxies need
_AT_ONCE = 32
_REQUEST = b"GET /small HTTP/1.1\r\nHost: shop.example\r\n\r\n"


def visit(port: int, tls: ssl.SSLContext | None) -> socket.socket:
    """A connection that has had its answer, and rests. Raises OSError."""
    sock = _come(port, tls)
    _hear(sock)
    return sock


def visits(port: int, tls: ssl.SSLContext | None, count: int) -> list[socket.socket]:
    """So many of them, which ask some at once: on a busy machine one waits long for its turn."""
    there: list[socket.socket] = []
    while len(there) < count:
        come = [_come(port, tls) for _ in range(min(_AT_ONCE, count - len(there)))]
        for sock in come:
            _hear(sock)
        there += come
    return there


def _come(port: int, tls: ssl.SSLContext | None) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    if tls is not None:
        sock = tls.wrap_socket(sock, server_hostname="localhost")
    sock.sendall(_REQUEST)
    return sock


def _hear(sock: socket.socket) -> None:
    head, _, body = sock.recv(65536).partition(b"\r\n\r\n")
    while len(body) < 1024:
        if not (more := sock.recv(65536)):
            raise ConnectionResetError(f"a connection ended: {head!r}")
        body += more
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ConnectionResetError(f"answered {head!r}")


def raise_limit() -> int:
    """Have as many descriptors as this process may, and what it starts; returns how many.

    Who may, such as root, has a limit raised that is low for ten thousand connections.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for wanted in (max(most, _DESCRIPTORS), most):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
    return most


def main() -> None:
    """Hold them until killed."""
    port, count = int(sys.argv[1]), int(sys.argv[2])
    raise_limit()
    held = visits(port, None, count)
    print("all are there", flush=True)
    threading.Event().wait()
    del held


if __name__ == "__main__":
    main()
