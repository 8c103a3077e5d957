"""Quiet visitors whose answers are timed: ``python -m tests.soak.onlookers PORT SECONDS``.

They have forty connections and ask 200 times a second all together. A time counts from when a
request was due, whatever held up the one before: a stall is seen by all who would have asked
meanwhile. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final

CONNECTIONS: Final = 40
RATE: Final = 200.0
_REQUEST: Final = b"GET /hello HTTP/1.1\r\nHost: shop.example\r\n\r\n"


async def look_on(port: int, until: float, number: int, times: list[float]) -> None:
    """Ask on one connection; the time counts from when each request was due."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    pause = CONNECTIONS / RATE
    due = time.monotonic() + pause * number / CONNECTIONS
    while due < until:
        await asyncio.sleep(max(0, due - time.monotonic()))
        writer.write(_REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 ")):
            raise AssertionError(head)
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        times.append(time.monotonic() - due)
        due += pause
    writer.close()


async def main() -> None:
    """Look on, and say how long it took, in milliseconds."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    times: list[float] = []
    until = time.monotonic() + seconds
    looking = (look_on(port, until, number, times) for number in range(CONNECTIONS))
    faults = [repr(why) for why in await asyncio.gather(*looking, return_exceptions=True) if why]
    times.sort()
    said = {
        "answers": len(times),
        "p50": times[len(times) // 2] * 1000,
        "p99": times[len(times) * 99 // 100] * 1000,
        "max": times[-1] * 1000,
        "faults": faults,
    }
    print(json.dumps(said))


asyncio.run(main())
