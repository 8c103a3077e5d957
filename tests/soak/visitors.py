"""Visitors of all kinds; each checks what it gets, and none gives up for an honest error."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.end_to_end.wire import CutShort, Message
from tests.soak.line import GONE, Doors, Line, NoAnswer, come
from tests.soak.pages import SITES, body, events, receipt
from tests.soak.tally import Tally

MIB: Final = 1 << 20
_GARBAGE: Final[Sequence[bytes]] = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n0",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40000 + b"\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
)


class Visitors:
    """`count` of them at any time, each of a kind by `chance`, until they are told to `stop`."""

    def __init__(self, doors: Doors, tally: Tally, chance: random.Random, count: int) -> None:
        self._doors = doors
        self._tally = tally
        self._chance = chance
        self._count = count
        self._going_on = True
        self._kinds: Sequence[Callable[[Line], Awaitable[None]]] = (
            *[self._browses] * 8, *[self._posts] * 3, self._pipelines, self._uploads,
            self._reads_slowly, self._listens, self._tunnels, self._half_closes, self._leaves,
            self._babbles, self._is_old,
        )  # fmt: skip

    async def run(self) -> None:
        """Until `stop`, and until the last of them has left."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._count):
                group.create_task(self._come_and_go())

    def stop(self) -> None:
        """Let nobody come any more."""
        self._going_on = False

    async def _come_and_go(self) -> None:
        while self._going_on:
            await self.visit(self._chance.choice(self._kinds))
            await asyncio.sleep(self._chance.random() * 0.02)

    async def visit(self, kind: Callable[[Line], Awaitable[None]]) -> None:
        """One visit, by any door."""
        door = self._chance.choice(("plain", "plain", "tls", "proxy"))
        slow = kind == self._reads_slowly
        try:
            line = await come(self._doors, self._chance.choice(SITES), door, self._chance, slow)
        except OSError as why:
            self._tally.wrong(f"can't connect by {door}: {why!r}")
            return
        try:
            await kind(line)
        except (NoAnswer, CutShort, *GONE) as why:
            self._ended(line, kind.__name__, why)
        except (AssertionError, ValueError, TimeoutError) as why:
            self._tally.wrong(f"{kind.__name__} by {line.door}: {type(why).__name__}: {why}")
        finally:
            await line.close()

    def _ended(self, line: Line, kind: str, why: Exception) -> None:
        if isinstance(why, NoAnswer) and line.asked > 1:
            self._tally.saw("closed between requests", f"{kind}: {why!r}", is_right=True)
        elif isinstance(why, NoAnswer):
            self._tally.wrong(f"{kind} by {line.door}: no answer at all: {why!r}")
        else:
            self._tally.saw("cut", f"{kind} by {line.door}: {why!r}")

    # --- what an answer may be ---

    def _judge(self, target: str, reply: Message, expected: bytes, method: str = "GET") -> bool:
        """Count an answer, and whether the connection lives on."""
        self._tally.answered(target, reply.status)
        cause = (reply.one("Sorry-Cause") or b"").decode()
        if reply.status == 200:
            if method != "HEAD" and reply.body != expected:
                self._tally.wrong(f"{target}: {len(reply.body)} wrong bytes: {reply.body[:60]!r}")
            self._tally.saw("right", target, is_right=True)
        elif cause in ("manual", "window", "members") and reply.status in (502, 503, 504):
            self._tally.saw(f"sorry: {cause} {reply.status}", target)
        elif reply.status == 503 and reply.body == b"no":
            self._tally.saw("the member's own 503", target)
        else:
            self._tally.wrong(f"{target}: {reply}")
        return reply.one("Connection") != b"close"

    def _page(self, most: int = 20000) -> str:
        return self._tally.target(f"/page/{self._chance.randrange(most)}")

    # --- kinds ---

    async def _browses(self, line: Line) -> None:
        cookie: list[str] = []
        for _ in range(self._chance.randrange(1, 10)):
            method, target = self._chance.choice(("GET", "GET", "HEAD")), self._page()
            line.ask(target, method, *cookie)
            reply = await line.answer(method)
            if not self._judge(target, reply, body(target), method):
                return
            for value in reply.all("Set-Cookie"):
                cookie = [f"Cookie: {value.decode().partition(';')[0]}"]
            await asyncio.sleep(self._chance.random() * 0.05)

    async def _posts(self, line: Line) -> None:
        for _ in range(self._chance.randrange(1, 5)):
            if not await self._post(line, self._chance.randrange(50000)):
                return

    async def _uploads(self, line: Line) -> None:
        await self._post(line, 4 * MIB)

    async def _post(self, line: Line, size: int) -> bool:
        """Send and listen at once: the answer may come early. Whether the connection lives on."""
        target, data = self._tally.target("/post"), self._chance.randbytes(size)
        if self._chance.random() < 0.5:
            line.ask(target, "POST", f"Content-Length: {size}")
            pieces = [data]
        else:
            line.ask(target, "POST", "Transfer-Encoding: chunked")
            cuts = [*sorted(self._chance.randrange(size + 1) for _ in range(3)), size]
            parts = [data[a:b] for a, b in zip([0, *cuts], cuts, strict=False) if a < b]
            pieces = [*(b"%x\r\n%b\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]
        sending = asyncio.create_task(_send(line, pieces))
        try:
            reply = await line.answer()
            lives_on = self._judge(target, reply, receipt(data))
            done, _ = await asyncio.wait([sending], timeout=0.5)
            return lives_on and bool(done) and sending.result()
        finally:
            sending.cancel()

    async def _pipelines(self, line: Line) -> None:
        targets = [self._page(2000) for _ in range(8)]
        for target in targets:
            line.ask(target)
        line.asked = 1  # the first of them must be answered
        for target in targets:
            lives_on = self._judge(target, await line.answer(), body(target))
            line.asked += 1
            if not lives_on:
                return

    async def _reads_slowly(self, line: Line) -> None:
        target = self._tally.target(f"/page/{4 * MIB}")
        line.ask(target)
        reply = asyncio.create_task(line.answer())
        transport = line.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        while not (await asyncio.wait([reply], timeout=0.02))[0]:
            with contextlib.suppress(RuntimeError):
                transport.pause_reading()
            await asyncio.sleep(0.02)
            with contextlib.suppress(RuntimeError):
                transport.resume_reading()
        self._judge(target, await reply, body(target))

    async def _listens(self, line: Line) -> None:
        target = self._tally.target("/events")
        line.ask(target)
        self._judge(target, await line.answer(), events(target))

    async def _tunnels(self, line: Line) -> None:
        target = self._tally.target("/tunnel")
        line.ask(target, "GET", "Connection: upgrade", "Upgrade: echo")
        head = await line.head()
        if head.status != 101:
            content = await line.reader.readexactly(int(head.one("Content-Length") or 0))
            self._judge(target, Message(head.first, head.lines, content), b"")
            return
        self._tally.answered(target, 101)
        for _ in range(self._chance.randrange(20)):
            data = self._chance.randbytes(self._chance.randrange(1, 50000))
            line.say(data)
            try:
                echoed = await line.reader.readexactly(len(data))
            except GONE:
                self._tally.saw("tunnel cut", target)
                return
            assert echoed == data
        self._tally.saw("tunnel", target, is_right=True)

    async def _half_closes(self, line: Line) -> None:
        target = self._page()
        line.ask(target)
        if line.writer.can_write_eof():
            line.writer.write_eof()
        self._judge(target, await line.answer(), body(target))

    async def _is_old(self, line: Line) -> None:
        target = self._page()
        line.ask(target, version="1.0")
        self._judge(target, await line.answer(), body(target))
        assert await line.rest() == b""

    async def _leaves(self, line: Line) -> None:
        whole = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n" % (
            self._tally.target("/post").encode()
        )
        line.say(whole[: self._chance.randrange(len(whole) + 1)])
        await asyncio.sleep(self._chance.random() * 0.1)
        if self._chance.random() < 0.5:
            line.reset()
        self._tally.saw("left", "", is_right=True)

    async def _babbles(self, line: Line) -> None:
        line.say(self._chance.choice(_GARBAGE))
        head = (await line.rest()).partition(b"\r\n")[0]
        assert head[9:12] in (b"400", b"405", b"431", b""), head
        self._tally.saw("refused" if head else "ended", "", is_right=True)

    async def look_around(self, turns: int) -> None:
        """Nothing but pages, for the end."""
        for _ in range(turns):
            await self.visit(self._browses)


async def _send(line: Line, pieces: Sequence[bytes]) -> bool:
    """Whether all was taken."""
    try:
        for piece in pieces:
            line.say(piece)
            await line.writer.drain()
    except OSError:
        return False
    return True
