"""Visitors in numbers, and a member for them; every byte of every answer is checked.

    with Pages() as member, Daemon(folder, configuration([member.url])) as daemon:
        with Load(daemon.port()) as load:
            load.wait_for(100)
        assert load.faults == []

A request is never sent a second time, and a connection is never opened again: whatever is not
a whole and right answer is a fault. So ``faults == []`` means that not one request was lost.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from tests.end_to_end.members import Conversation, Member
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import Message, Wire, answer, anybody, request

MOST: Final = 20000
"""Requests after which a load ends by itself, whatever its test does."""


def page(path: str) -> bytes:
    """The page at `path`, in about 1 KiB."""
    return f"this is the page at {path}\n".encode() * 24


class Pages(Member):
    """A member that gives ``page(path)`` at every path.

    ``/held/...`` it answers only when `release` says so; ``/half/...`` it answers by half, and
    the rest then; ``/tunnel`` becomes an echo.
    """

    def __init__(self) -> None:
        self._held: dict[str, threading.Event] = {}
        super().__init__(self._serve_pages)

    def close(self) -> None:
        for path in tuple(self._held):
            self.release(path)
        super().close()

    def wait_for(self, path: str) -> None:
        """Wait until a request for `path` is held."""
        until(lambda: path in self._held, f"a request for {path}")

    def release(self, path: str) -> None:
        """Go on with the answer at `path`."""
        self._held[path].set()

    def _serve_pages(self, conversation: Conversation) -> None:
        while (asked := conversation.request()) is not None:
            path = asked.target.decode("latin-1")
            if path == "/tunnel":
                self._echo(conversation)
                return
            whole = answer(page(path))
            cut = len(whole) // 2 if path.startswith("/half/") else 0
            conversation.send(whole[:cut])
            if path.startswith(("/half/", "/held/")):
                self._held[path] = released = threading.Event()
                released.wait(PATIENCE)
            conversation.send(whole[cut:])

    def _echo(self, conversation: Conversation) -> None:
        lines = (b"Connection: upgrade", b"Upgrade: echo")
        conversation.send(answer(b"", *lines, status=101, length=False))
        while conversation.more():
            conversation.send(conversation.buffer)
            conversation.buffer = b""


@dataclasses.dataclass(frozen=True)
class Answer:
    """A right answer; `asked` and `answered` are instants, before the first byte went out and
    after the last one came in. `is_page` is the member's, else it is the apology."""

    asked: float
    answered: float
    is_page: bool


class Load:
    """So many `visitors`, each on one connection, asking `rate` times a second all together.

    They run in a thread. `faults` says what was wrong, `answers` holds what was right. Leaving
    the block lets the requests in flight be answered first. Who `reopens` opens another
    connection where an answer says that it is the last one (RFC 9112 section 9.6).
    """

    def __init__(
        self,
        port: int,
        *,
        tls: bool = False,
        visitors: int = 8,
        rate: float = 200.0,
        reopens: bool = False,
    ) -> None:
        self.answers: list[Answer] = []
        self.faults: list[str] = []
        self._port = port
        self._tls = anybody() if tls else None
        self._visitors = visitors
        self._pause = visitors / rate
        self._reopens = reopens
        self._going_on = True
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._going_on = False
        self._thread.join(2 * PATIENCE)
        if self._thread.is_alive():
            self.faults.append("the load has not ended")

    def wait_for(self, count: int) -> None:
        """Wait for so many more answers, or a fault."""
        enough = len(self.answers) + count
        until(lambda: len(self.answers) >= enough or self.faults, f"{count} answers")

    def wait_till(self, instant: float) -> None:
        """Wait for an answer to a request that was made after `instant`, or a fault."""
        until(
            lambda: self.faults or (self.answers and self.answers[-1].asked > instant),
            f"an answer {instant - time.time():g} s from now",
        )

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self._visitors):
                group.create_task(self._visit(number))

    async def _visit(self, number: int) -> None:
        try:
            turns = iter(range(MOST // self._visitors))
            await asyncio.sleep(self._pause * number / self._visitors)
            while await self._connect(number, turns):
                pass
        except (OSError, EOFError, ValueError, AssertionError) as fault:
            self.faults.append(f"visitor {number}: {type(fault).__name__}: {fault}")

    async def _connect(self, number: int, turns: Iterator[int]) -> bool:
        """Ask on one connection; whether there is more to ask."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, ssl=self._tls)
        try:
            for turn in turns:
                if not self._going_on:
                    return False
                got = await self._ask(reader, writer, f"/{number}/{turn}")
                await asyncio.sleep(self._pause)
                if self._reopens and got.one("Connection") == b"close":
                    return True
        finally:
            writer.close()
            await asyncio.wait_for(writer.wait_closed(), PATIENCE)
        return False

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
    ) -> Message:
        method, body = (b"POST", b"a=1&b=2" * 100) if path.endswith("3") else (b"GET", None)
        asked = time.time()
        writer.write(request(path.encode(), method=method, body=body))
        got = await asyncio.wait_for(_read_answer(reader), PATIENCE)
        answered = time.time()
        is_page = got.status == 200
        check_page(got, path) if is_page else check_apology(got)
        self.answers.append(Answer(asked, answered, is_page))
        return got


def check_page(got: Message, path: str) -> None:
    """It is the member's page, whole."""
    assert got.status == 200, got
    assert got.body == page(path), f"{path}: {len(got.body)} bytes of another page"


def check_apology(got: Message) -> None:
    """It is the apology for maintenance, whole, and no cache can keep it."""
    assert got.status == 503, got
    assert got.one("Cache-Control") == b"no-store"
    assert int(got.one("Retry-After") or 0) >= 1
    assert got.one("Sorry-Cause") in (b"window", b"manual", b"file"), got
    assert got.body.endswith(b"</html>\n"), got


def asking(wire: Wire, target: bytes = b"/", method: bytes = b"GET", body: bytes = b"") -> Message:
    """The answer to one request on this connection."""
    wire.send(request(target, method=method, body=body or None))
    return wire.answer(method)


def is_over(wire: Wire) -> bool:
    """Whether nothing more comes before the connection ends, well or not."""
    try:
        return wire.until_end() == b""
    except ConnectionResetError:
        return True


def utc(at: float) -> str:
    """An instant in RFC 3339, to the microsecond."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()


def instant(text: str) -> float:
    """The instant of an RFC 3339 time."""
    return datetime.datetime.fromisoformat(text).timestamp()


async def _read_answer(reader: asyncio.StreamReader) -> Message:
    first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
    head = Message(first, tuple(lines))
    length = head.one("Content-Length")
    assert length is not None, head
    return dataclasses.replace(head, body=await reader.readexactly(int(length)))
