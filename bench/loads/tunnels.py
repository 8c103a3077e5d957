"""WebSocket messages that come back, one in flight on each of many tunnels.

``python -m bench.loads.tunnels LOAD`` opens the tunnels, counts echoes for so many seconds, and
those that are not what was sent.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

import msgspec

from bench import frames
from bench.load import Counted, Load
from bench.loads import told

_PAYLOAD = bytes(at % 251 for at in range(frames.SIZE))
_ASKED, _ANSWERED = frames.asked(_PAYLOAD), frames.answered(_PAYLOAD)


def opening(path: str) -> bytes:
    """The request for a tunnel."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {frames.KEY.decode()}\r\n\r\n"
    ).encode()


class Tally(msgspec.Struct, kw_only=True):
    """What the tunnels count together; the one thing here that changes."""

    path: str
    opened: int = 0
    messages: int = 0
    unexpected: int = 0
    read: int = 0
    over: bool = False


class _Tunnel(asyncio.Protocol):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._got = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's has no base class
        self._transport.write(opening(self._tally.path))

    def data_received(self, data: bytes) -> None:
        data = self._got + data if self._got else data
        if not self._open:
            head, mark, data = data.partition(b"\r\n\r\n")
            if not mark:
                self._got = head
                return
            self._open = True
            self._tally.opened += 1
            self._tally.unexpected += not head.startswith(b"HTTP/1.1 101 ")
            self._transport.write(_ASKED)
        if len(data) < frames.ECHOED:
            self._got = data
            return
        self._got = b""
        self._tally.messages += 1
        self._tally.unexpected += data != _ANSWERED
        if not self._tally.over:
            self._transport.write(_ASKED)

    def connection_lost(self, exc: Exception | None) -> None:
        self._tally.read += not self._tally.over


async def _load(load: Load, tally: Tally) -> float:
    loop = asyncio.get_running_loop()
    for _ in range(load.connections):
        await loop.create_connection(lambda: _Tunnel(tally), "127.0.0.1", load.port)
    started = time.monotonic()
    await asyncio.sleep(load.seconds)
    tally.over = True
    return time.monotonic() - started


async def _run(load: Load) -> None:
    tally = Tally(path=load.path)
    seconds = await _load(load, tally)
    counted = Counted(
        requests=tally.messages,
        seconds=seconds,
        connect=load.connections - tally.opened,
        read=tally.read,
        unexpected=tally.unexpected,
    )
    print(msgspec.json.encode(counted).decode())


def main() -> None:
    """Load, and print what was counted."""
    frames.run(_run(told()))


if __name__ == "__main__":
    main()
