"""A member of WebSockets as a process: it sends back each message, and says its port."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def _echo(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


async def main() -> None:
    """Serve until stdin ends."""
    async with serve(_echo, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        (sock,) = server.sockets
        print(sock.getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
