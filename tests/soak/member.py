"""A member as a process: ``python -m tests.soak.member PORT ADDRESS...`` or ``... PATH``.

It says a line when it listens. Each line that it reads is its mood from then on; in every mood
but the first, about a third of what it answers suffers:

honest  each answer is right
lie     nonsense, two lengths, or bytes behind the right answer
stall   nothing for some seconds, or half of it
cut     the connection ends in the middle, or before the answer
fail    503
"""

from __future__ import annotations

import asyncio
import random
import sys
from typing import Final

from tests.soak.pages import PIECES, body, piece, receipt

STALL: Final = 4.0  # seconds, longer than a daemon of the soak waits
_GONE: Final = (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
_LIES: Final = (
    b"SSH-2.0-OpenSSH_9\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
)


class Conversation:
    """One connection of a member in some mood."""

    def __init__(
        self, moods: list[str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._moods = moods
        self._reader = reader
        self._writer = writer

    async def hold(self) -> None:
        """Answer until the connection ends."""
        try:
            while await self._serve():
                pass
        except _GONE:
            pass
        finally:
            self._writer.close()

    async def _serve(self) -> bool:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _ = first.split(" ")
        fields = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        if "upgrade" in fields:
            await self._echo()
            return False
        data = await self._body(fields)
        if target.startswith("/events/"):
            await self._tell(target)
            return True
        content = b"ok"
        if method == "POST":
            content = receipt(data)
        elif target.startswith("/page/"):
            content = body(target)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
        if method != "HEAD":
            answer += content
            mood = self._moods[-1]
            if mood != "honest" and target != "/healthz" and random.random() < 0.3:
                return await self._suffer(mood, answer)
        self._writer.write(answer)
        await self._writer.drain()
        return True

    async def _body(self, fields: dict[str, str]) -> bytes:
        if "transfer-encoding" not in fields:
            return await self._reader.readexactly(int(fields.get("content-length", "0")))
        pieces = []
        while size := int(await self._reader.readline(), 16):
            pieces.append(await self._reader.readexactly(size))
            await self._reader.readline()
        await self._reader.readline()
        return b"".join(pieces)

    async def _tell(self, target: str) -> None:
        self._writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(PIECES):
            one = piece(target, number)
            self._writer.write(b"%x\r\n%b\r\n" % (len(one), one))
            await self._writer.drain()
            await asyncio.sleep(0.05)
        self._writer.write(b"0\r\n\r\n")

    async def _echo(self) -> None:
        self._writer.write(b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        while data := await self._reader.read(65536):
            self._writer.write(data)
            await self._writer.drain()

    async def _suffer(self, mood: str, answer: bytes) -> bool:
        match mood:
            case "lie":
                self._writer.write(random.choice((*_LIES, answer + b"HTTP/1.1 200 OK\r\n")))
            case "fail":
                self._writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno")
            case _:
                self._writer.write(random.choice((b"", answer[: len(answer) // 2])))
        await self._writer.drain()
        if mood == "stall":
            await asyncio.sleep(STALL)
        return mood == "fail"


async def main() -> None:
    """Serve until killed."""
    moods = ["honest"]

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Conversation(moods, reader, writer).hold()

    where, *addresses = sys.argv[1:]
    if addresses:
        await asyncio.start_server(converse, addresses, int(where), backlog=512)
    else:
        await asyncio.start_unix_server(converse, where, backlog=512)
    print("listening", flush=True)
    while mood := await asyncio.to_thread(sys.stdin.readline):
        moods.append(mood.strip())


asyncio.run(main())
