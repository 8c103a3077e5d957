"""The chaos: kills and stops, commands, windows, reloads, and who looks at all that."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import re
from collections.abc import Sequence
from typing import Final

from tests.chaos.killer import ALL, ALONE, Killer
from tests.chaos.ledger import Ledger
from tests.chaos.operator import UNANSWERED, Operator
from tests.chaos.reloads import Reloads
from tests.chaos.town import SITES, Town
from tests.chaos.verdict import Verdict, judge, kept_words
from tests.end_to_end.control import ControlRefused
from tests.end_to_end.family import Family, shared_memory
from tests.end_to_end.waiting import until

CALM: Final = 1.0  # seconds before the first deed, and after the last
GROWTH: Final = 48 << 20  # bytes by which all processes together may grow


class Chaos:
    """One run of it: a deed of the killer each `pause` seconds, on the average.

    It begins with the first number of `workers`, and reloads to the others.
    """

    def __init__(
        self, town: Town, workers: Sequence[int], pause: float, deeds: Sequence[str] = ()
    ) -> None:
        self._town = town
        self._pause = pause
        chance = town.chance
        self._family = Family(town.family, (town.plain, town.tls))
        deeds = deeds or (ALL if any(workers) else ALONE)
        self._reloads = Reloads(town, workers)
        self._killer = Killer(
            town.daemon, self._family, lambda: self._reloads.shape.workers,
            random.Random(chance.random()), deeds,
        )  # fmt: skip
        self._ledger = Ledger()
        self._operators = [
            Operator(town.daemon, self._ledger, site, random.Random(chance.random()))
            for site in SITES
        ]
        self._is_over = asyncio.Event()
        self._reloaded = 0

    async def run(self, seconds: float, many: int) -> Verdict:
        """For so long, with so `many` visitors of a kind."""
        town = self._town
        town.configure(self._reloads.shape)
        town.daemon.start()
        town.load(many)
        town.probe()
        await asyncio.sleep(CALM)
        before = self._memory()
        await self._killer.kill_first()
        await self._deeds(seconds)
        await asyncio.sleep(CALM)
        await asyncio.to_thread(town.let_go)
        after = self._memory()
        verdict = judge(town.words(), self._killer.deaths, self._ledger)
        faults = [*self._killer.faults, *kept_words(town.daemon, self._operators)]
        if after - before > GROWTH:
            faults.append(f"memory grew from {before >> 20} MiB to {after >> 20} MiB")
        faults += await asyncio.to_thread(self._end)
        told = [*verdict.told, *self._told(), f"memory: {before >> 20}, then {after >> 20} MiB"]
        return dataclasses.replace(verdict, violations=[*verdict.violations, *faults], told=told)

    def _memory(self) -> int:
        return sum(shared_memory(pid) for pid in self._family.pids())

    # --- while it goes on ---

    async def _deeds(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._is_over.set)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._killer.run(self._is_over, self._pause))
            group.create_task(self._reload())
            for operator in self._operators:
                group.create_task(operator.run(self._is_over))

    async def _reload(self) -> None:
        while not self._is_over.is_set():
            self._reloads.change(listeners=False)
            with contextlib.suppress(ControlRefused, *UNANSWERED):
                await asyncio.to_thread(self._town.daemon.ask, "daemon.reload")
                self._reloaded += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_over.wait(), self._pause)

    # --- when it is over ---

    def _end(self) -> list[str]:
        """Stop it: nothing may be left over, and nothing said of a bug."""
        daemon = self._town.daemon
        daemon.stop()
        faults = [f"it still runs: {self._family.pids()}"] if self._lives_on() else []
        left = {path.name for path in daemon.folder.iterdir()} & {"control.sock", "sorryd.pid"}
        for folder in daemon.folder.glob("*.workers"):
            left |= {path.name for path in folder.iterdir()}
        if left:
            faults.append(f"files left over: {sorted(left)}")
        log = daemon.log_file.read_text(errors="replace")
        bugs = [one.start() for one in re.finditer(r"Traceback|Unhandled|a bug in", log)]
        return [*faults, *(f"in the log: {log[max(0, at - 200) : at + 1500]}" for at in bugs)]

    def _lives_on(self) -> bool:
        with contextlib.suppress(BaseException):
            return not until(lambda: not self._family.pids(), "the end of all processes", 5.0)
        return True

    def _told(self) -> Sequence[str]:
        took = sorted(seconds for operator in self._operators for seconds in operator.took)
        unanswered = sum(operator.unanswered for operator in self._operators)
        killer = self._killer
        return (
            f"deeds: {dict(killer.deeds)}, {self._reloaded} reloads",
            f"{len(took)} commands acknowledged ({_times(took)}), {unanswered} unanswered",
            *(f"  {dict(operator.kinds)}" for operator in self._operators),
            f"the first worker that died was back after {_times(killer.firsts)}",
            f"others after {_times(killer.returns)}",
            f"the control process up after {_times(killer.restarts)}",
            f"upgraded after {_times(killer.upgrades)}",
        )


def _times(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = [one * 1000 for one in sorted(seconds)]
    median, most = ordered[len(ordered) // 2], ordered[-1]
    return f"{len(ordered)} times, median {median:.0f} ms, max {most:.0f}"
