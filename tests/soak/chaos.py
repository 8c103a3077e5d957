"""What happens to sorryd and its members while visitors come and go."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tests.end_to_end.control import ControlRefused
from tests.soak.pages import SITES
from tests.soak.town import NAME, MemberProcess, Town

ADDRESSES: Final[Sequence[list[str]]] = (
    ["127.0.0.1"],
    ["127.0.0.2"],
    ["127.0.0.1", "127.0.0.2"],
    ["127.0.0.3"],  # where nobody is
    ["127.0.0.3", "127.0.0.1"],
)


class Chaos:
    """One deed after another, by chance. `deeds` counts them."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._chance = town.chance
        self._numbers = itertools.count()
        self._hurt: set[MemberProcess] = set()
        self.deeds: Counter[str] = Counter()
        self._all: Sequence[Callable[[], Awaitable[None]]] = (
            *[self._kills] * 3, *[self._spoils] * 4, self._downs, self._schedules,
            *[self._sets] * 2, *[self._reloads] * 2, self._certifies, *[self._moves] * 2,
            self._rotates,
        )  # fmt: skip

    async def run(self, until: float) -> None:
        """Do this and that until a moment of the loop's clock; then mend all of it."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as group:
            while clock() < until:
                deed = self._chance.choice(self._all)
                self.deeds[deed.__name__.strip("_")] += 1
                group.create_task(self._do(deed))
                await asyncio.sleep(0.2 + self._chance.random())
        await self._mend()

    async def _do(self, deed: Callable[[], Awaitable[None]]) -> None:
        with contextlib.suppress(ControlRefused):  # what two deeds at once can't both have
            await deed()

    async def _mend(self) -> None:
        town = self._town
        town.names.records[NAME] = ["127.0.0.1"]
        town.names.is_silent = False
        town.daemon.config.write_text(town.ini(changed=False))
        await self._ask("daemon.reload")
        await self._ask("site.up")
        for window in await self._ask("window.list"):
            with contextlib.suppress(ControlRefused):
                await self._ask("window.cancel", id=window["id"])
        for site in (await self._ask("status"))["sites"]:
            for member in site["members"]:
                await self._set(site["name"], member["url"], state="ready", weight=1)

    async def _ask(self, method: str, **params: object) -> Any:
        return await asyncio.to_thread(self._town.daemon.ask, method, params)

    async def _wait(self, most: float) -> None:
        await asyncio.sleep(0.3 + self._chance.random() * most)

    @contextlib.asynccontextmanager
    async def _one(self) -> Any:
        """A member that nobody hurts now."""
        member = self._chance.choice(self._town.members)
        if member in self._hurt:
            yield None
            return
        self._hurt.add(member)
        try:
            yield member
        finally:
            self._hurt.discard(member)

    # --- members ---

    async def _kills(self) -> None:
        async with self._one() as member:
            if member is not None:
                await asyncio.to_thread(member.kill)
                await self._wait(3)
                await asyncio.to_thread(member.start)

    async def _spoils(self) -> None:
        async with self._one() as member:
            if member is not None:
                member.tell(self._chance.choice(("lie", "stall", "cut", "fail")))
                await self._wait(4)
                member.tell("honest")

    async def _sets(self) -> None:
        site = self._chance.choice((await self._ask("status"))["sites"])
        url = self._chance.choice(site["members"])["url"]
        state = self._chance.choice(("drain", "maint", "ready"))
        await self._set(site["name"], url, state=state, weight=self._chance.randrange(5))
        await self._wait(3)
        await self._set(site["name"], url, state="ready", weight=1)

    async def _set(self, site: str, url: str, *, state: str, weight: int) -> None:
        with contextlib.suppress(ControlRefused):  # a reload took it away
            await self._ask("member.set", site=site, url=url, state=state, weight=weight)

    async def _moves(self) -> None:
        names = self._town.names
        names.is_silent = self._chance.random() < 0.2
        names.records[NAME] = self._chance.choice(ADDRESSES)
        if self._chance.random() < 0.2:
            del names.records[NAME]
        await self._wait(3)
        names.is_silent = False
        names.records[NAME] = ["127.0.0.1"]

    # --- windows ---

    async def _downs(self) -> None:
        site = self._chance.choice((None, "shop", "blog"))
        await self._ask("site.down", site=site, reason="by chance")
        await self._wait(0.5)
        await self._ask("site.up", site=site)

    async def _schedules(self) -> None:
        name = f"window-{next(self._numbers)}"
        site = self._chance.choice((None, "shop", "blog"))
        span = {"from": "+1s", "for": f"{self._chance.randrange(1, 20)}00ms", "drain": "1s"}
        await self._ask("window.schedule", id=name, site=site, **span)
        await self._wait(3)
        deed = self._chance.choice(("window.end", "window.cancel", "window.extend", ""))
        if deed:
            more = {"by": "1s"} if deed == "window.extend" else {}
            await self._ask(deed, id=name, **more)

    # --- files ---

    async def _reloads(self) -> None:
        town = self._town
        town.daemon.config.write_text(town.ini())
        if self._chance.random() < 0.5:
            await self._ask("daemon.reload")
        else:
            town.daemon.signal(signal.SIGHUP)

    async def _certifies(self) -> None:
        await asyncio.to_thread(self._town.certify, self._chance.choice(SITES))

    async def _rotates(self) -> None:
        log = self._town.folder / "access.json"
        with contextlib.suppress(FileNotFoundError):
            os.rename(log, log.with_name(f"access.json.{next(self._numbers)}"))
        self._town.daemon.signal(signal.SIGUSR1)
        await asyncio.sleep(0.5)
