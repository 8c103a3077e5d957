"""The load, as a process: ``python -m tests.chaos.load PLAIN TLS MANY SEED FILE``.

It goes on until its stdin ends, and writes to FILE what words.py has.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import uvloop
from tests.chaos.desk import Desk
from tests.chaos.visitors import Doors, everybody
from tests.end_to_end.wire import anybody


async def main() -> None:
    """Load until the end of stdin."""
    plain, tls, many, seed, file = sys.argv[1:]
    with Path(file).open("wb", buffering=0) as written:
        desk = Desk(random.Random(int(seed)), written.write)
        doors = Doors(int(plain), int(tls), anybody())
        coming = asyncio.gather(*everybody(desk, doors, int(many)))
        print("coming", flush=True)
        ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
        await asyncio.wait([ended, coming], return_when=asyncio.FIRST_COMPLETED)
        desk.is_over.set()
        await coming
        desk.finish()


if __name__ == "__main__":
    uvloop.run(main())
