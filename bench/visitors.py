"""Visitors in Python, for machines without wrk: slower, so the load's core saturates sooner.

``python -m bench.visitors URL CONNECTIONS SECONDS [STATUSES LENGTH]`` keeps CONNECTIONS busy,
one request at a time on each, and prints what it counted as one line of JSON.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from urllib.parse import urlsplit

import msgspec

from bench.checks import unverified
from bench.load import Counted


class Tally(msgspec.Struct, kw_only=True):
    """What the connections count together; the one thing here that changes."""

    statuses: frozenset[int] | None
    length: int
    requests: int = 0
    connect: int = 0
    read: int = 0
    unexpected: int = 0
    over: bool = False

    def count(self, status: int, length: int) -> None:
        """Judge a whole answer."""
        self.requests += 1
        right = status < 400 if self.statuses is None else status in self.statuses
        if not right or (self.length and length != self.length):
            self.unexpected += 1


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What every visitor does: this request to this address, again and again."""

    host: str
    port: int
    context: ssl.SSLContext | None
    request: bytes

    async def begin(self, tally: Tally) -> None:
        """Open a connection that asks for as long as it is kept alive."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: _Visitor(self, tally), self.host, self.port, ssl=self.context
            )
        except OSError:
            tally.connect += 1


class _Visitor(asyncio.Protocol):
    def __init__(self, visit: Visit, tally: Tally) -> None:
        self._visit = visit
        self._tally = tally
        self._head = b""
        self._status = 0
        self._length = 0
        self._left = -1  # -1: in the head
        self._last = False  # the answer ends the connection
        self._next: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._visit.request)

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            head, mark, data = self._head.partition(b"\r\n\r\n")
            if not mark:
                return
            self._head_received(head.lower())
        self._left -= len(data)
        if self._left <= 0:
            self._answered()

    def _head_received(self, head: bytes) -> None:
        self._head = b""
        self._status = int(head[9:12])
        self._length = self._left = _content_length(head)
        self._last = b"\r\nconnection: close" in head

    def _answered(self) -> None:
        self._left = -1
        self._tally.count(self._status, self._length)
        if self._last:
            self._transport.close()
        else:
            self._transport.write(self._visit.request)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._tally.over:
            return
        if not self._last:
            self._tally.read += 1
        self._next = asyncio.get_running_loop().create_task(self._visit.begin(self._tally))


def _content_length(head: bytes) -> int:
    _, mark, after = head.partition(b"\r\ncontent-length:")
    if not mark:
        raise ValueError("these visitors understand Content-Length only")
    return int(after.split(b"\r\n", 1)[0])


async def _load(url: str, connections: int, seconds: int, tally: Tally) -> float:
    parts = urlsplit(url)
    target = url.partition(parts.netloc)[2]
    visit = Visit(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 80,
        context=unverified() if parts.scheme == "https" else None,
        request=f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode(),
    )
    started = time.monotonic()
    for _ in range(connections):
        await visit.begin(tally)
    await asyncio.sleep(max(0.0, started + seconds - time.monotonic()))
    tally.over = True
    return time.monotonic() - started


def main() -> None:
    """Load, and print what was counted."""
    url, connections, seconds, *judged = sys.argv[1:]
    statuses = frozenset(int(each) for each in judged[0].split(",")) if judged else None
    tally = Tally(statuses=statuses, length=int(judged[1]) if judged else 0)
    elapsed = asyncio.run(_load(url, int(connections), int(seconds), tally))
    counted = Counted(
        requests=tally.requests,
        seconds=elapsed,
        connect=tally.connect,
        read=tally.read,
        write=0,
        timeout=0,
        unexpected=tally.unexpected,
    )
    print(msgspec.json.encode(counted).decode())


if __name__ == "__main__":
    main()
