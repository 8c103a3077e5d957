"""A member as a process of its own: member_process.py NAME PORT; says its port, then serves.

It answers every request with NAME, on connections that are kept alive. It imports nothing of
sorryd, so that it starts at once.
"""

import asyncio
import sys

NAME, PORT = sys.argv[1:]
ANSWER = f"HTTP/1.1 200 OK\r\nContent-Length: {len(NAME)}\r\n\r\n{NAME}".encode()


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection; bodies are not expected."""
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.start_server(converse, "127.0.0.1", int(PORT), backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
