"""Visitors in Python, for machines without wrk: slower, so the load's core saturates sooner.

``python -m bench.loads.visitors LOAD``: keeps the connections of the load (bench.load.Load, JSON)
busy, one request at a time on each, and prints what it counted as one line of JSON.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.checks import unverified
from bench.load import Counted, Load
from bench.loads import told


class Tally(msgspec.Struct, kw_only=True):
    """What the connections count together; the one thing here that changes."""

    statuses: frozenset[int] | None
    length: int
    requests: int = 0
    connect: int = 0
    read: int = 0
    unexpected: int = 0
    over: bool = False
    took: list[float] = []  # seconds of each request

    def count(self, status: int, length: int, took: float) -> None:
        """Judge a whole answer, which took so many seconds."""
        self.requests += 1
        self.took.append(took)
        right = status < 400 if self.statuses is None else status in self.statuses
        if not right or (self.length and length != self.length):
            self.unexpected += 1


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What every visitor does: these requests in turn to this port, again and again."""

    port: int
    context: ssl.SSLContext | None
    requests: Iterator[bytes]

    async def begin(self, tally: Tally) -> None:
        """Open a connection that asks for as long as it is kept alive."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: _Visitor(self, tally), "127.0.0.1", self.port, ssl=self.context
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
        self._ask()

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._transport.write(next(self._visit.requests))

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
        self._tally.count(self._status, self._length, time.monotonic() - self._asked)
        if self._last:
            self._transport.close()
        else:
            self._ask()

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


def requests(load: Load) -> list[bytes]:
    """What is sent, one for each host that is named in turn."""
    body = Path(load.body).read_bytes() if load.body else b""
    fields = [f"{name}: {value}" for name, value in load.fields]
    fields += [f"Content-Length: {len(body)}"] if load.body else []
    line = f"{'POST' if load.body else 'GET'} {load.path} HTTP/1.1"
    return [
        "\r\n".join([line, f"Host: {host}", *fields, "", ""]).encode() + body
        for host in load.hosts or (f"127.0.0.1:{load.port}",)
    ]


async def _load(load: Load, tally: Tally) -> float:
    visit = Visit(
        port=load.port,
        context=unverified() if load.secure else None,
        requests=itertools.cycle(requests(load)),
    )
    started = time.monotonic()
    for _ in range(load.connections):
        await visit.begin(tally)
    await asyncio.sleep(max(0.0, started + load.seconds - time.monotonic()))
    tally.over = True
    return time.monotonic() - started


def main() -> None:
    """Load, and print what was counted."""
    load = told()
    tally = Tally(
        statuses=None if load.statuses is None else frozenset(load.statuses), length=load.length
    )
    elapsed = asyncio.run(_load(load, tally))
    parts = statistics.quantiles(tally.took, n=100) if len(tally.took) > 1 else [0.0] * 99
    counted = Counted(
        requests=tally.requests,
        seconds=elapsed,
        connect=tally.connect,
        read=tally.read,
        unexpected=tally.unexpected,
        p50=parts[49] * 1e6,
        p99=parts[98] * 1e6,
    )
    print(msgspec.json.encode(counted).decode())


if __name__ == "__main__":
    main()
