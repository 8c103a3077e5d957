"""Asks the code that is installed now whether it would start, before it takes the place of ours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.control.publishing import Aside
from sorryd.errors import ControlError, ErrorCode, conflict
from sorryd.privileges import name_of
from sorryd.program import Program
from sorryd.workers.fleet import Fleet

log = Logger()

HOOKS: Final = 5.0
"""Seconds that hooks may take before this process becomes the other one."""

PATIENCE: Final = 60.0
"""Seconds that the new code may take to say whether it would start."""

RETURN: Final = 60.0
"""Seconds within which the new code answers, once this process becomes it."""

WORDS: Final = 20
"""Lines of what it says that are passed on."""

_SUPERVISED: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Upgrading:
    """See control.upgrading.Upgrades. `begin` lets this process become the other one."""

    def __init__(
        self,
        reactor: Any,
        program: Program,
        aside: Aside,
        fleet: Fleet,
        begin: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._program = program
        self._aside = aside
        self._fleet = fleet
        self._begin = begin

    def check(self) -> Deferred[str]:
        return Deferred.fromCoroutine(self._check())

    @property
    def within(self) -> float:
        return RETURN + (self._fleet.retire if self._fleet.is_local else 0.0)

    def begin(self) -> Deferred[None]:
        nothing: Deferred[None] = Deferred()
        self._reactor.callLater(0, self._go, nothing)
        return nothing

    def _go(self, nothing: Deferred[None]) -> None:
        """Visitors of this process are left to a worker, or finish, before it becomes another."""
        if self._fleet.is_local:
            log.info("upgrade: a worker takes the place of this process")
        vacated = self._fleet.vacate()
        vacated.addTimeout(self.within, self._reactor).addCallback(lambda _: self._begin())
        vacated.addErrback(self._too_late, nothing)

    def _too_late(self, _: Failure, nothing: Deferred[None]) -> None:
        log.error("the upgrade has come to nothing: visitors of this process are not gone")
        self._fleet.move_back()
        nothing.callback(None)

    async def _check(self) -> str:
        if (path := self._program.unwritable_log()) is not None:
            who = name_of(os.geteuid())
            raise conflict(f"{path}: {who} can't write it, so the next release could not")
        await self._served()
        await self._ask("--check")
        said = await self._ask("--version")
        return said.strip().removeprefix("sorryd ")

    def _served(self) -> Deferred[None]:
        """Fires when all workers serve: only such can go on by themselves."""

        def late(_: object, limit: float) -> None:
            numbers = ", ".join(map(str, self._fleet.missing))
            raise conflict(f"workers that do not serve: {numbers}; the log says why")

        return self._fleet.served().addTimeout(PATIENCE, self._reactor, late)

    async def _ask(self, question: str) -> str:
        code, said = await self._aside(_run, self._program, question)
        if code:
            raise ControlError(
                ErrorCode.CONFLICT,
                "the release that is installed now would not start, and nothing was changed",
                faults=tuple(said.strip().splitlines()[-WORDS:]),
            )
        return said


def _run(program: Program, question: str) -> tuple[int, str]:
    """The exit status of the new code, asked something, and what it said."""
    environment = {key: text for key, text in program.environment.items() if key not in _SUPERVISED}
    try:
        done = subprocess.run(
            program.asking(question), cwd=program.folder, env=environment, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"it has not answered to {question} within {PATIENCE:g} s"
    except OSError as why:
        return 1, f"{program.python[0]}: {why.strerror}"
    return done.returncode, done.stdout.decode(errors="replace")
