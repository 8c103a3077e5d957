"""kill -9 and SIGSTOP, and what they excuse: the requests of the connections that were held."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from tests.chaos.operator import UNANSWERED
from tests.chaos.words import Failed
from tests.end_to_end.control import ControlRefused
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.family import Family, name

ALL: Final = (*["control", "upgrade"] * 2, *["worker"] * 4, "stop", "server", "both", "freeze")
ALONE: Final = ("control",)  # where there is but one process
LOOK: Final = 0.01  # seconds between two looks at processes
BACK: Final = 40.0  # seconds in which there is another worker, whatever has died before
FIRST: Final = 5.0  # the same of one that had not died yet, on a machine as busy as this


@dataclasses.dataclass(frozen=True)
class Death:
    """A process that was killed at a moment, with the visitors (by port) whose connections it had.

    `until` is when somebody listened again where nobody did meanwhile, else the same moment.
    """

    at: float
    ports: frozenset[int]
    until: float

    def excuses(self, failed: Failed) -> bool:
        """Whether a request can't have been answered for this alone."""
        if failed.port in self.ports and failed.opened <= self.at <= failed.ended:
            return True
        return failed.began <= self.until and failed.ended >= self.at and self.until > self.at


class Killer:
    """Hurts one process after the other, and has the control process started again as systemd does.

    `firsts` are the seconds until there was another worker for the first that died, `returns` those
    of all others, who may have to wait ever longer. `restarts` are those of the control process,
    from its start until it said that it is up, `upgrades` those until it answered as another one.
    """

    def __init__(
        self,
        daemon: Daemon,
        family: Family,
        wanted: Callable[[], int],
        chance: random.Random,
        only: Sequence[str],
    ) -> None:
        """`wanted` says how many workers there shall be. `only` are the names of the deeds to
        choose from, each as often as it is to be chosen."""
        self._daemon = daemon
        self._family = family
        self._chance = chance
        self._wanted = wanted
        self.deaths: list[Death] = []
        self.deeds: Counter[str] = Counter()
        self.firsts: list[float] = []
        self.returns: list[float] = []
        self.restarts: list[float] = []
        self.upgrades: list[float] = []
        self.faults: list[str] = []
        deeds: Mapping[str, Callable[[], Awaitable[None]]] = {
            "control": self._kills_control,
            "worker": self._kills_worker,
            "stop": self._stops_worker,
            "server": self._kills_server,
            "both": self._kills_both,
            "upgrade": self._upgrades,
            "freeze": self._freezes,
        }
        self._all = [(one, deeds[one]) for one in only]

    async def kill_first(self) -> None:
        """Kill a worker for the first time, if there are any."""
        if self.workers():
            await self._kills_worker()
            self.firsts, self.returns = self.returns, []
            if max(self.firsts, default=FIRST) >= FIRST:
                self.faults.append(f"a worker was back only after {self.firsts} s")

    async def run(self, is_over: asyncio.Event, pause: float) -> None:
        """One deed after the other, `pause` seconds between them on the average."""
        while not is_over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(is_over.wait(), pause * 2 * self._chance.random())
                return
            called, deed = self._chance.choice(self._all)
            self.deeds[called] += 1
            await deed()

    # --- who is there ---

    def _others(self) -> set[int]:
        return self._family.pids() - {self._daemon.pid}

    def workers(self) -> list[int]:
        """The workers that accept visitors."""
        return sorted(self._family.listening(self._others()))

    def _kill(self, *pids: int) -> frozenset[int]:
        """kill -9; the visitors that were lost by it. Who is stopped first accepts nobody more."""
        alive = [pid for pid in pids if _signal(pid, signal.SIGSTOP)]
        lost = frozenset(port for pid in alive for port in self._family.visitors(pid))
        for pid in alive:
            _signal(pid, signal.SIGKILL)
        return lost

    # --- deeds ---

    async def _kills_worker(self) -> None:
        before = self.workers()
        if not before or len(before) < self._wanted():  # one has yet to come back
            return
        victim = self._chance.choice(before)
        at = time.monotonic()
        self.deaths.append(Death(at, self._kill(victim), at))
        await self._returns(victim, at)

    async def _returns(self, victim: int, at: float) -> None:
        """Wait until there are as many workers again as there shall be."""
        while time.monotonic() < at + BACK:
            now = set(self.workers()) - {victim}
            if len(now) >= self._wanted():
                self.returns.append(time.monotonic() - at)
                return
            await asyncio.sleep(LOOK)
        self.faults.append(f"no worker instead of the one that was killed: {self.workers()}")

    async def _stops_worker(self) -> None:
        """For some seconds; who waits for it too long may kill it."""
        workers = self.workers()
        if not workers:
            return
        victim = self._chance.choice(workers)
        at = time.monotonic()
        if not _signal(victim, signal.SIGSTOP):
            return
        lost = frozenset(self._family.visitors(victim))
        await asyncio.sleep(12 if self._chance.random() < 0.2 else self._chance.random() * 4)
        if not _signal(victim, signal.SIGCONT) or victim not in self._family.pids():
            self.deeds["a stopped worker was killed"] += 1
            self.deaths.append(Death(at, lost, at))
            await self._returns(victim, time.monotonic())

    async def _kills_server(self) -> None:
        """The one that forks workers."""
        servers = [pid for pid in sorted(self._others()) if name(pid) == "sorryd-forks"]
        if servers:
            _signal(self._chance.choice(servers), signal.SIGKILL)

    async def _kills_control(self) -> None:
        await self._kill_control()

    async def _kills_both(self) -> None:
        workers = self.workers()
        await self._kill_control(*workers[:1])

    async def _freezes(self) -> None:
        """A worker that is stopped while another control process takes over, and wakes up later."""
        workers = self.workers()
        if not workers or not _signal(victim := self._chance.choice(workers), signal.SIGSTOP):
            return
        at, lost = time.monotonic(), frozenset(self._family.visitors(victim))
        await self._kill_control()
        await asyncio.sleep(self._chance.random() * 15)
        if not _signal(victim, signal.SIGCONT) or victim not in self._family.pids():
            self.deeds["a frozen worker was killed"] += 1
            self.deaths.append(Death(at, lost, at))

    async def _upgrades(self) -> None:
        """To the same release, which excuses nothing."""
        began, before = time.monotonic(), await self._started()
        with contextlib.suppress(*UNANSWERED):  # it is busy: it asks the new release first
            try:
                await asyncio.to_thread(self._daemon.ask, "daemon.upgrade")
            except ControlRefused:  # as while a worker is missing
                self.deeds["refused upgrade"] += 1
                return
        while await self._started() in (before, ""):
            if time.monotonic() > began + 2 * BACK:
                self.faults.append(f"no other release answers {2 * BACK:g} s after an upgrade")
                return
            await asyncio.sleep(LOOK)
        self.upgrades.append(time.monotonic() - began)

    async def _started(self) -> str:
        """Since when the daemon runs; empty where it does not answer."""
        with contextlib.suppress(*UNANSWERED):
            version = await asyncio.to_thread(self._daemon.ask, "daemon.version")
            return str(version["started"])
        return ""

    async def _kill_control(self, *workers: int) -> None:
        """And have it started again, after a while."""
        daemon = self._daemon
        at = time.monotonic()
        lost = self._kill(*workers, daemon.pid)
        is_gone = not self.workers()
        await asyncio.to_thread(daemon.wait)
        await asyncio.sleep(self._chance.random() ** 2 * 2)
        started = time.monotonic()
        daemon.launch()
        await asyncio.to_thread(daemon.wait_for_log, "sorryd is up", BACK)
        now = time.monotonic()
        self.restarts.append(now - started)
        self.deaths.append(Death(at, lost, now if is_gone else at))


def _signal(pid: int, number: signal.Signals) -> bool:
    """Whether there was such a process."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
