"""Where visitors of a load come in, and where they say what became of their requests."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec
from tests.chaos.words import Counted, Failed, Seen
from tests.end_to_end.wire import CutShort
from tests.soak.line import GONE, Line, NoAnswer

REST: Final = 0.02  # seconds after a failure: nobody hammers a door that is shut
ROOM: Final = 16 << 20
"""Bytes that a visitor takes before they are asked for: more than any answer. uvloop's TLS, of the
client, loses what came with the end of a connection while reading is paused."""
LOST: Final = (NoAnswer, CutShort, TimeoutError, AssertionError, ValueError, *GONE)


class Desk:
    """Counts, and writes each failure at once, by `write`, a line at a time."""

    def __init__(self, chance: random.Random, write: Callable[[bytes], Any]) -> None:
        self.chance = chance
        self.is_over = asyncio.Event()
        self._write = write
        self._right: Counter[str] = Counter()
        self._slowest: dict[str, float] = {}

    @property
    def goes_on(self) -> bool:
        """Whether visitors are still to come."""
        return not self.is_over.is_set()

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until it is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.is_over.wait(), seconds)

    def write(self, word: Failed | Counted | Seen) -> None:
        """Write a line."""
        self._write(msgspec.json.encode(word) + b"\n")

    def right(self, kind: str, began: float) -> None:
        """A request that began at a moment was answered as it must be."""
        took = time.monotonic() - began
        self._right[kind] += 1
        self._slowest[kind] = max(took, self._slowest.get(kind, 0.0))

    def finish(self) -> None:
        """Say what was counted."""
        self.write(Counted(right=dict(self._right), slowest=self._slowest))


class Visit:
    """A visitor's place at the desk, for one connection after the other, of one `kind`."""

    def __init__(self, desk: Desk, kind: str) -> None:
        self.desk = desk
        self._kind = kind
        self._opened = self._began = 0.0
        self._port = 0

    def begins(self, port: int = 0) -> None:
        """A request begins, on the connection that has this port here, else on the last one."""
        self._began = time.monotonic()
        self._port = port or self._port

    def is_right(self) -> None:
        """It was answered as it must be."""
        self.desk.right(self._kind, self._began)

    async def failed(self, why: object) -> None:
        """It was not; wait a little."""
        self.desk.write(
            Failed(
                kind=self._kind,
                why=why if isinstance(why, str) else f"{type(why).__name__}: {why}",
                opened=self._opened,
                began=self._began,
                ended=time.monotonic(),
                port=self._port,
            )
        )
        await self.desk.rest(REST)

    async def reach(self, port: int) -> socket.socket:
        """Connect to a port of this machine. Raises OSError."""
        self._opened = self._began = time.monotonic()
        self._port = 0
        sock = socket.socket()
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except BaseException:
            sock.close()
            raise
        self._port = int(sock.getsockname()[1])
        return sock

    async def come(self, port: int, host: str, tls: ssl.SSLContext | None = None) -> Line:
        """A connection that speaks HTTP, over TLS with `tls`. Raises one of `LOST`."""
        sock = await self.reach(port)
        veil: dict[str, Any] = {} if tls is None else {"ssl": tls, "server_hostname": host}
        reader, writer = await asyncio.open_connection(sock=sock, limit=ROOM, **veil)
        return Line(reader, writer, host, "plain" if tls is None else "tls")
