"""Who asks each site all the time: ``python -m tests.chaos.probe PLAIN FILE SITE...``.

By a connection that is kept, and by a new one for each request. What comes back is written to FILE
as `words.Seen`, with the two instants between which it was decided; what does not, as
`words.Failed`. It goes on until its stdin ends.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path
from typing import Final

import uvloop
from tests.chaos.desk import LOST, Desk, Visit
from tests.chaos.words import Seen
from tests.soak.line import Line
from tests.soak.pages import body

PAUSE: Final = 0.01  # seconds between two requests of one of them
TARGET: Final = "/page/64/"


async def look(visit: Visit, port: int, site: str, keep: bool) -> None:
    """Ask until it is over."""
    while visit.desk.goes_on:
        line = None
        try:
            line = await visit.come(port, f"{site}.example")
            while await _asks(visit, line, site) and keep and visit.desk.goes_on:
                await visit.desk.rest(PAUSE)
        except LOST as why:
            await visit.failed(why)
        finally:
            if line is not None:
                line.reset()
        await visit.desk.rest(PAUSE)


async def _asks(visit: Visit, line: Line, site: str) -> bool:
    asked = time.time()
    visit.begins()
    line.ask(TARGET)
    reply = await line.answer()
    said = "page"
    if reply.status != 200 or reply.body != body(TARGET):
        cause = (reply.one("Sorry-Cause") or b"").decode()
        if reply.status != 503 or not cause:
            raise AssertionError(f"{site}: {reply}")
        said = cause
    visit.desk.write(Seen(site=site, asked=asked, answered=time.time(), said=said))
    visit.is_right()
    return reply.one("Connection") != b"close"


async def main() -> None:
    """Look until the end of stdin."""
    plain, file, *sites = sys.argv[1:]
    with Path(file).open("wb", buffering=1 << 16) as written:
        desk = Desk(random.Random(1), written.write)
        looking = asyncio.gather(
            *(
                look(Visit(desk, f"{site} {'kept' if keep else 'new'}"), int(plain), site, keep)
                for site in sites
                for keep in (True, False)
            )
        )
        print("looking", flush=True)
        ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait([ended, looking], return_when=asyncio.FIRST_COMPLETED)
        desk.is_over.set()
        await looking
        desk.finish()


if __name__ == "__main__":
    uvloop.run(main())
