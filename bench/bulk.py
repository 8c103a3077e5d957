"""The member of long transfers and of tunnels, behind every proxy, on the load's core.

``python -m bench.bulk FILE PORT``. It answers:

- ``GET /bytes/N``: so many bytes, FILE again and again.
- ``POST`` of a body with Content-Length: that it was read to its end, and only then; its SHA-256
  at ``/hashed``, which is for what is checked beside the load.
- ``GET`` with ``Upgrade: websocket``: each message of 1 KiB, masked, comes back as it is.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import mmap
import sys
from pathlib import Path
from typing import cast

from bench import frames

_PIECE = 1024 * 1024


class Member(asyncio.Protocol):
    """One connection to it; requests come one after the other. Mutable: where it is in them."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._unread = b""
        self._left = 0  # of the body that is being read
        self._hash: hashlib._Hash | None = None
        self._unsent = 0  # of the body that is being sent
        self._sent = 0
        self._paused = False
        self._tunnel = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's has no base class
        self._transport.set_write_buffer_limits(high=_PIECE)

    def data_received(self, data: bytes) -> None:
        if self._left:
            self._body(data)
        elif self._tunnel:
            self._echo(data)
        else:
            self._unread += data
            head, mark, rest = self._unread.partition(b"\r\n\r\n")
            if mark:
                self._unread = b""
                self._asked(head, rest)

    def _asked(self, head: bytes, rest: bytes) -> None:
        line, *lines = head.split(b"\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (x.partition(b":") for x in lines)
        }
        target = line.split(b" ")[1]
        if b"sec-websocket-key" in fields:
            self._transport.write(_switch(fields[b"sec-websocket-key"]))
            self._tunnel = True
        elif target.startswith(b"/bytes/"):
            self._unsent, self._sent = int(target.removeprefix(b"/bytes/")), 0
            self._transport.write(_head(self._unsent))
            self._feed()
        else:
            self._left = int(fields.get(b"content-length", b"0"))
            self._hash = hashlib.sha256() if target == b"/hashed" else None
            self._body(rest)

    def _body(self, data: bytes) -> None:
        self._left -= len(data)
        if self._hash is not None:
            self._hash.update(data)
        if self._left <= 0:
            said = b"read" if self._hash is None else self._hash.hexdigest().encode()
            self._transport.write(_head(len(said)) + said)

    def _feed(self) -> None:
        while self._unsent and not self._paused:
            begin = self._sent % len(self._content)
            piece = self._content[begin : begin + min(_PIECE, self._unsent)]
            self._sent += len(piece)
            self._unsent -= len(piece)
            self._transport.write(piece)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._feed()

    def _echo(self, data: bytes) -> None:
        if self._unread:
            data = self._unread + data
        answers, self._unread = frames.echo(data)
        self._transport.write(answers)


def _head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Length: %d\r\n\r\n" % length


def _switch(key: bytes) -> bytes:
    digest = hashlib.sha1(key + frames.GUID, usedforsecurity=False).digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )


async def _serve(file: Path, port: int) -> None:
    with file.open("rb") as opened:
        content = memoryview(mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ))
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Member(content), "127.0.0.1", port, backlog=1024)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    frames.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))


if __name__ == "__main__":
    main()
