"""Ways to hold sorryd up: each takes connections, and keeps them busy until it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Final

from tests.end_to_end.wire import anybody, request

BATCH: Final = 200  # connections opened at once
PER_ADDRESS: Final = 20000  # of one source address: there are no more ports
FLOOD: Final = request() * 10000
HEAD: Final = b"GET / HTTP/1.1\r\nHost: shop.example\r\n"
CHUNKS: Final = b"1\r\nx\r\n" * 40000
LINES: Final = HEAD + b"a:\r\n" * 8000 + b"\r\n"


class Attack:
    """`count` connections to `port`; `opened` counts those that were made."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.count = count
        self.opened = 0
        self._socks: list[socket.socket] = []

    async def connect(self, room: int = 0) -> socket.socket:
        """One more connection, with `room` for what is not read."""
        sock = socket.socket()
        sock.setblocking(False)
        if room:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        sock.bind((f"127.0.1.{1 + self.opened // PER_ADDRESS}", 0))
        self._socks.append(sock)
        self.opened += 1
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        return sock

    async def crowd(self, room: int = 0) -> AsyncIterator[socket.socket]:
        """All of them, in batches."""
        while self.opened < self.count:
            batch = min(BATCH, self.count - self.opened)
            for sock in await asyncio.gather(*(self.connect(room) for _ in range(batch))):
                yield sock

    def close(self) -> None:
        """Let go of all of them."""
        for sock in self._socks:
            sock.close()


async def send(sock: socket.socket, data: bytes) -> None:
    """Send all of it, however long that takes."""
    await asyncio.get_running_loop().sock_sendall(sock, data)


async def idle(attack: Attack, ready: Callable[[], None]) -> None:
    """One answer each, and then silence."""
    loop = asyncio.get_running_loop()
    socks = [sock async for sock in attack.crowd()]
    for batch in _batches(socks):
        await asyncio.gather(*(send(sock, request(b"/hello")) for sock in batch))
        await asyncio.gather(*(loop.sock_recv(sock, 65536) for sock in batch))
    ready()
    await asyncio.Event().wait()


async def slow_heads(attack: Attack, ready: Callable[[], None]) -> None:
    """A byte of a head every two seconds."""
    socks = [sock async for sock in attack.crowd()]
    ready()
    for byte in itertools.cycle(b"GET /" + b"a" * 1000):
        for batch in _batches(socks):
            await asyncio.gather(*(send(sock, bytes([byte])) for sock in batch))
            await asyncio.sleep(2 * BATCH / len(socks))


async def slow_readers(attack: Attack, ready: Callable[[], None]) -> None:
    """A MiB each, of which nobody reads more than a bit."""
    socks = [sock async for sock in attack.crowd(room=4096)]
    for sock in socks:
        await send(sock, request(b"/page/1048576"))
    ready()
    while True:
        for sock in socks:
            with contextlib.suppress(BlockingIOError):
                sock.recv(10)
        await asyncio.sleep(0.5)


async def pipelines(attack: Attack, ready: Callable[[], None]) -> None:
    """Requests without end, their answers thrown away."""
    await _repeat(attack, ready, FLOOD)


async def lines(attack: Attack, ready: Callable[[], None]) -> None:
    """Heads of 32 KB, full of lines."""
    await _repeat(attack, ready, LINES)


async def chunks(attack: Attack, ready: Callable[[], None]) -> None:
    """Bodies in chunks of one byte."""
    socks = [sock async for sock in attack.crowd()]
    for sock in socks:
        await send(sock, request(b"/", b"Transfer-Encoding: chunked", method=b"POST"))
    ready()
    await asyncio.gather(*(_send_on(sock, CHUNKS) for sock in socks))


async def comers(attack: Attack, ready: Callable[[], None]) -> None:
    """New connections that are closed at once."""
    ready()
    while True:
        async for _ in attack.crowd():
            pass
        attack.close()
        attack.opened = 0


async def handshakes(attack: Attack, ready: Callable[[], None]) -> None:
    """TLS handshakes, one after the other."""
    context = anybody()
    ready()
    await asyncio.gather(*(_shake_hands(attack.port, context) for _ in range(attack.count)))


async def _shake_hands(port: int, context: ssl.SSLContext) -> None:
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.transport.abort()
        await asyncio.sleep(0)


async def _repeat(attack: Attack, ready: Callable[[], None], data: bytes) -> None:
    socks = [sock async for sock in attack.crowd()]
    ready()
    await asyncio.gather(
        *(_send_on(sock, data) for sock in socks), *(_throw_away(sock) for sock in socks)
    )


async def _send_on(sock: socket.socket, data: bytes) -> None:
    while True:
        await send(sock, data)
        await asyncio.sleep(0)


async def _throw_away(sock: socket.socket) -> None:
    loop, room = asyncio.get_running_loop(), bytearray(1 << 20)
    while await loop.sock_recv_into(sock, room):
        await asyncio.sleep(0)


def _batches(socks: list[socket.socket]) -> list[list[socket.socket]]:
    return [socks[at : at + BATCH] for at in range(0, len(socks), BATCH)]
