"""Visitors of all kinds, who never send anything twice and forgive nothing.

Not even what HTTP allows, that a server closes a connection at rest as a request comes by it (RFC
9112 §9.3.1): a request that is not answered whole and rightly, whatever the reason, has failed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

from tests.chaos.desk import LOST, Desk, Visit
from tests.soak.line import Line
from tests.soak.pages import body, events, receipt
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

KIB: Final = 1024
SHOP, TALK = "shop.example", "talk.example"
PATIENCE: Final = 20.0  # seconds
GOING_AWAY: Final = 1001  # RFC 6455 §7.4.1


@dataclasses.dataclass(frozen=True)
class Doors:
    """The ports, and whom visitors trust at the second one."""

    plain: int
    tls: int
    trusted: ssl.SSLContext

    def at(self, is_tls: bool) -> tuple[int, ssl.SSLContext | None]:
        """Where one comes in."""
        return (self.tls, self.trusted) if is_tls else (self.plain, None)


Exchange = Callable[[Visit, Line], Awaitable[bool]]
"""Asks for something; whether the connection lives on. Raises one of `LOST`."""


async def asks(visit: Visit, line: Line, target: str, wanted: bytes, data: bytes = b"") -> bool:
    """One request, with `data` as its body where there is any."""
    visit.begins()
    fields = [f"Content-Length: {len(data)}"] if data else []
    line.ask(target, "POST" if data else "GET", *fields)
    if data:
        line.say(data)
        await asyncio.wait_for(line.writer.drain(), PATIENCE)
    reply = await line.answer()
    if reply.status != 200 or reply.body != wanted:
        right = "right" if reply.body == wanted else "wrong"
        raise AssertionError(f"{target}: {reply.first!r} {reply.lines} with a {right} body")
    visit.is_right()
    return reply.one("Connection") != b"close"


async def browses(visit: Visit, line: Line) -> bool:
    """A small page."""
    target = f"/page/{visit.desk.chance.randrange(4 * KIB)}/"
    return await asks(visit, line, target, body(target))


async def downloads(visit: Visit, line: Line) -> bool:
    """A page of 64 KiB to 4 MiB."""
    target = f"/page/{visit.desk.chance.choice((64, 256, 1024, 4096)) * KIB}/"
    return await asks(visit, line, target, body(target))


async def uploads(visit: Visit, line: Line) -> bool:
    """So much the other way, whose hash the member answers."""
    data = visit.desk.chance.randbytes(visit.desk.chance.choice((64, 256, 1024, 4096)) * KIB)
    return await asks(visit, line, "/post/", receipt(data), data)


async def listens(visit: Visit, line: Line) -> bool:
    """An answer that takes its time, piece by piece."""
    return await asks(visit, line, "/events/", events("/events/"))


async def stays(visit: Visit, doors: Doors, exchange: Exchange, is_tls: bool, rest: float) -> None:
    """One request after the other on a connection, which is opened again when it must be."""
    while visit.desk.goes_on:
        await _comes_once(visit, doors, exchange, is_tls, rest)


async def leaves(visit: Visit, doors: Doors, exchange: Exchange, is_tls: bool, rest: float) -> None:
    """A connection for each request."""
    while visit.desk.goes_on:
        await _comes_once(visit, doors, exchange, is_tls, None)
        await visit.desk.rest(visit.desk.chance.random() * 2 * rest)


async def _comes_once(
    visit: Visit, doors: Doors, exchange: Exchange, is_tls: bool, rest: float | None
) -> None:
    port, tls = doors.at(is_tls)
    line = None
    try:
        line = await visit.come(port, SHOP, tls)
        while await exchange(visit, line) and rest is not None and visit.desk.goes_on:
            await visit.desk.rest(visit.desk.chance.random() * 2 * rest)
    except LOST as why:
        await visit.failed(why)
    finally:
        if line is not None:
            line.reset()


async def tunnels(visit: Visit, doors: Doors, is_tls: bool, rest: float) -> None:
    """Numbered messages that come back by a WebSocket, which lives until the end."""
    while visit.desk.goes_on:
        try:
            async with await _upgrade(visit, doors, is_tls) as talking:
                await _talks(visit, talking, rest)
        except (WebSocketException, *LOST) as why:
            await visit.failed(why)


async def _upgrade(visit: Visit, doors: Doors, is_tls: bool) -> ClientConnection:
    port, tls = doors.at(is_tls)
    sock = await visit.reach(port)
    return await connect(
        f"{'wss' if is_tls else 'ws'}://{TALK}/", sock=sock, ssl=tls, ping_interval=None,
        open_timeout=PATIENCE, close_timeout=5, proxy=None,
    )  # fmt: skip


async def _talks(visit: Visit, talking: ClientConnection, rest: float) -> None:
    number = 0
    while visit.desk.goes_on:
        number += 1
        said = f"{number} ".encode() * visit.desk.chance.randrange(1, 5000)
        visit.begins()
        try:
            await asyncio.wait_for(talking.send(said), PATIENCE)
            heard = await asyncio.wait_for(talking.recv(), PATIENCE)
        except ConnectionClosed as why:
            await visit.failed(f"tunnel closed with {why.rcvd} at message {number}")
            return
        if heard != said:
            raise AssertionError(f"{len(heard)} wrong bytes for message {number}")
        visit.is_right()
        await visit.desk.rest(visit.desk.chance.random() * 2 * rest)


def everybody(desk: Desk, doors: Doors, many: int) -> list[Awaitable[None]]:
    """All visitors: `many` of the commonest kinds, less of the others."""
    few = max(1, many // 4)
    coming: list[Awaitable[None]] = []
    for is_tls in (False, True):
        by = "tls" if is_tls else "plain"
        coming += [
            *(stays(Visit(desk, f"{by} kept"), doors, browses, is_tls, 0.02) for _ in range(many)),
            *(leaves(Visit(desk, f"{by} new"), doors, browses, is_tls, 0.05) for _ in range(many)),
            *(stays(Visit(desk, f"{by} uploads"), doors, uploads, is_tls, 0.1) for _ in range(few)),
            *(leaves(Visit(desk, f"{by} uploads"), doors, uploads, is_tls, 0.2) for _ in range(1)),
            *(stays(Visit(desk, f"{by} downloads"), doors, downloads, is_tls, 0.1)
              for _ in range(few)),
            *(stays(Visit(desk, f"{by} stream"), doors, listens, is_tls, 0.0) for _ in range(few)),
            *(stays(Visit(desk, f"{by} slow"), doors, browses, is_tls, 1.0) for _ in range(few)),
            *(tunnels(Visit(desk, f"{by} tunnel"), doors, is_tls, 0.05) for _ in range(few)),
        ]  # fmt: skip
    return coming
