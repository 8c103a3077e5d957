"""The code that is installed now in place of the code that runs, with no request lost.

The new code is asked first whether it would start with the configuration as it is. Then the deed is
written down and answered, and the control process becomes the new one: workers serve on meanwhile,
until that has taken over.
"""

from __future__ import annotations

from typing import Final, Protocol

from twisted.internet.defer import Deferred, DeferredLock, fail

from sorryd.control.chronicle import tell_reload
from sorryd.control.observed import Commits
from sorryd.control.reloading import Only, Prepares
from sorryd.control.truth import Truth
from sorryd.control.versions import sorryd_version
from sorryd.errors import conflict
from sorryd.journal import HistoryEntry
from sorryd.messages import DaemonUpgrade
from sorryd.replies import UpgradeResult
from sorryd.window import Author


class Upgrades(Protocol):
    """What an upgrade needs of the rest of the daemon."""

    @property
    def within(self) -> float:
        """Seconds within which the new code answers, if it begins now."""

    def check(self) -> Deferred[str]:
        """The version of the code that would run; fails with ControlError where it would not."""

    def begin(self) -> Deferred[None]:
        """Let it run, once what is answered now is on its way; fires if nothing comes of that."""


class _None:
    within = 0.0

    def check(self) -> Deferred[str]:
        return fail(conflict("sorryd can't be upgraded here but by a restart"))

    def begin(self) -> Deferred[None]:
        raise AssertionError("it was refused")


NONE: Final[Upgrades] = _None()


class Upgrade:
    """Carries out upgrades, one at a time. `started` is since when this daemon runs."""

    def __init__(
        self,
        truth: Truth,
        journal: Commits,
        prepares: Prepares,
        upgrades: Upgrades,
        turn: DeferredLock,
        started: str,
        only: Only,
    ) -> None:
        self._truth = truth
        self._journal = journal
        self._prepares = prepares
        self._upgrades = upgrades
        self._turn = turn
        self._started = started
        self._only = only

    def run(self, author: Author) -> Deferred[UpgradeResult]:
        """Upgrade for `author`. Fails with ControlError, and JournalError; then nothing changes."""
        return self._only.run(lambda: self._run(author))

    async def _run(self, author: Author) -> UpgradeResult:
        # A file that would need a restart, as of another journal, is refused as by a reload.
        await self._prepares.load(self._truth.config)
        following = await self._upgrades.check()
        return await self._turn.run(lambda: Deferred.fromCoroutine(self._finish(following, author)))

    async def _finish(self, following: str, author: Author) -> UpgradeResult:
        entry = HistoryEntry(
            at=self._truth.now(),
            verb=DaemonUpgrade.method,
            author=author,
            detail=f"{sorryd_version()} -> {following}",
        )
        await self._journal.commit((), entry)
        tell_reload(entry, ())
        self._only.has_begun, within = True, self._upgrades.within
        self._upgrades.begin().addCallback(self._nothing_came)
        return UpgradeResult(
            version=sorryd_version(),
            started=self._started,
            next_version=following,
            within=within,
        )

    def _nothing_came(self, _: None) -> None:
        self._only.has_begun = False
