"""One long transfer after the other, each on a connection of its own.

``python -m bench.loads.transfers LOAD`` asks for the path of the load, or sends `size` bytes of
its file there, until its seconds are over, once at least. It counts MiB. What comes down is
discarded in the kernel (MSG_TRUNC, tcp(7)): what a visitor does with it is no work of a proxy.
"""

from __future__ import annotations

import contextlib
import mmap
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.load import Counted, Load
from bench.loads import told

_PIECE = 1024 * 1024
_MIB = 1024 * 1024


def main() -> None:
    """Load, and print what was counted."""
    load = told()
    done = errors = 0
    started = time.monotonic()
    while not (done or errors) or time.monotonic() < started + load.seconds:
        try:
            _transfer(load)
            done += 1
        except (OSError, ValueError):
            errors += 1
    seconds = time.monotonic() - started
    counted = Counted(requests=done * load.size // _MIB, seconds=seconds, unexpected=errors)
    print(msgspec.json.encode(counted).decode())


def _transfer(load: Load) -> None:
    with contextlib.closing(socket.create_connection(("127.0.0.1", load.port), 10)) as sock:
        if load.body:
            up(sock, load.path, Path(load.body), load.size)
            _, rest, length = head(sock)
            while len(rest) < length:
                rest += received(sock)
        else:
            sock.sendall(f"GET {load.path} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
            _, rest, length = head(sock)
            if length != load.size:
                raise ValueError(f"{length} bytes were promised, not {load.size}")
            _discard(sock, length - len(rest))


def up(sock: socket.socket, path: str, file: Path, size: int) -> None:
    """Send a request with `size` bytes of `file`, again and again. Raises OSError."""
    line = f"POST {path} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {size}\r\n\r\n"
    sock.sendall(line.encode())
    with file.open("rb") as opened:
        content = memoryview(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ))
    for piece in pieces(content, size):
        sock.sendall(piece)


def pieces(content: memoryview, size: int) -> Iterator[memoryview]:
    """`size` bytes of `content`, again and again, in pieces."""
    sent = 0
    while sent < size:
        begin = sent % len(content)
        piece = content[begin : begin + min(_PIECE, size - sent)]
        sent += len(piece)
        yield piece


def head(sock: socket.socket) -> tuple[bytes, bytes, int]:
    """The head of an answer of 200, what came of its body, and how long that is.

    Raises ValueError for any other answer, and OSError.
    """
    got = b""
    while b"\r\n\r\n" not in got:
        got += received(sock)
    lines, _, rest = got.partition(b"\r\n\r\n")
    _, mark, after = lines.lower().partition(b"\r\ncontent-length:")
    if not lines.startswith(b"HTTP/1.1 200 ") or not mark:
        raise ValueError(f"answered {lines!r}")
    return lines, rest, int(after.split(b"\r\n", 1)[0])


def received(sock: socket.socket) -> bytes:
    """What has come, at least a byte. Raises OSError."""
    got = sock.recv(65536)
    if not got:
        raise ConnectionResetError("the connection ended")
    return got


def _discard(sock: socket.socket, left: int) -> None:
    nowhere = bytearray(_PIECE)
    while left > 0:
        got = sock.recv_into(nowhere, min(left, _PIECE), socket.MSG_TRUNC)
        if not got:
            raise ConnectionResetError("the connection ended")
        left -= got


if __name__ == "__main__":
    main()
