"""A visitor's connection for asyncio: HTTP/1 said and read raw, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import socket
import ssl
from typing import Final

from tests.end_to_end.wire import CutShort, Message
from tests.soak.town import Ports

PATIENCE: Final = 30.0  # seconds; far more than sorryd takes for anything here
GONE: Final = (OSError, asyncio.IncompleteReadError)


class NoAnswer(Exception):
    """The connection ended, or was reset, before the first byte of an answer."""


@dataclasses.dataclass(frozen=True)
class Doors:
    """Where visitors come in, and whom they trust there."""

    ports: Ports
    tls: ssl.SSLContext


class Line:
    """One connection to one site, by one of its doors."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, door: str
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.host = host
        self.door = door
        self.asked = 0

    def say(self, data: bytes) -> None:
        """Send without waiting."""
        self.writer.write(data)

    def ask(self, target: str, method: str = "GET", *lines: str, version: str = "1.1") -> None:
        """Send a request's head."""
        fields = "".join(f"{line}\r\n" for line in (f"Host: {self.host}", *lines))
        self.asked += 1
        self.say(f"{method} {target} HTTP/{version}\r\n{fields}\r\n".encode())

    async def head(self) -> Message:
        """The next head of an answer. Raises NoAnswer or CutShort."""
        try:
            data = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        except asyncio.IncompleteReadError as why:
            raise (CutShort if why.partial else NoAnswer)(bytes(why.partial)) from None
        except ConnectionError as why:
            raise NoAnswer(str(why)) from None
        first, *lines = data[:-4].split(b"\r\n")
        return Message(first, tuple(lines))

    async def answer(self, method: str = "GET") -> Message:
        """A whole answer. Raises NoAnswer or CutShort."""
        head = await self.head()
        if method == "HEAD":
            return head
        try:
            return dataclasses.replace(
                head, body=await asyncio.wait_for(self._body(head), PATIENCE)
            )
        except GONE as why:
            raise CutShort(f"{head.first!r}: {why}") from None

    async def _body(self, head: Message) -> bytes:
        if head.one("Transfer-Encoding") != b"chunked":
            return await self.reader.readexactly(int(head.one("Content-Length") or 0))
        pieces = []
        while size := await self._size():
            pieces.append(await self.reader.readexactly(size))
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return b"".join(pieces)

    async def _size(self) -> int:
        return int(await self.reader.readuntil(b"\r\n"), 16)

    async def rest(self) -> bytes:
        """All that still comes, until the end, well or not."""
        data = b""
        with contextlib.suppress(*GONE):
            while more := await asyncio.wait_for(self.reader.read(65536), PATIENCE):
                data += more
        return data

    async def close(self) -> None:
        """Close, whatever the other side does."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self.writer.wait_closed(), PATIENCE)

    def reset(self) -> None:
        """Gone at once."""
        self.writer.transport.abort()


async def come(
    doors: Doors, host: str, door: str, chance: random.Random, slow: bool = False
) -> Line:
    """Connect. `slow`: with little room for what is not read yet."""
    ports = doors.ports
    sock = socket.socket()
    if slow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    sock.setblocking(False)
    port = {"plain": ports.plain, "tls": ports.tls, "proxy": ports.proxy}[door]
    try:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    except OSError:
        sock.close()
        raise
    if door == "tls":
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=doors.tls, server_hostname=host, limit=65536
        )
    else:
        reader, writer = await asyncio.open_connection(sock=sock, limit=65536)
    if door == "proxy":
        client = f"192.0.2.{chance.randrange(1, 255)}"
        writer.write(f"PROXY TCP4 {client} 127.0.0.1 {chance.randrange(1, 65536)} 80\r\n".encode())
    return Line(reader, writer, host, door)
