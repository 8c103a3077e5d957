"""A new configuration in place of the running one, with nothing lost.

All that can fail comes first: the file is read, addresses are bound, certificates loaded, and
the deed is written down. Only then does anything change, and that all at once. So a reload that
is refused has changed nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from sorryd.control.calendar import Commits
from sorryd.control.chronicle import tell_reload
from sorryd.control.differences import differences, spoken
from sorryd.control.truth import Truth
from sorryd.journal import HistoryEntry
from sorryd.messages import DaemonReload
from sorryd.model import Author, Config
from sorryd.replies import ReloadResult


class Prepared(Protocol):
    """A configuration for which everything is at hand."""

    @property
    def recertified(self) -> Collection[str]:
        """Sites that will show other certificates than now."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the operator should know of it; the log is told of it at other times too."""

    def take_effect(self) -> None:
        """Serve by it; the truth does so already."""

    def drop(self) -> None:
        """Let go of what was opened for it."""


class Prepares(Protocol):
    """What a reload needs of the rest of the daemon. What fails, fails with ControlError."""

    def load(self, running: Config) -> Deferred[Config]:
        """The file as it is now, if it may take the place of the `running` configuration."""

    def prepare(self, config: Config) -> Deferred[Prepared]:
        """Do all for `config` that can fail, and change nothing."""


class Reload:
    """Carries out reloads, which must come one at a time."""

    def __init__(self, truth: Truth, journal: Commits, prepares: Prepares) -> None:
        self._truth = truth
        self._journal = journal
        self._prepares = prepares

    async def run(self, author: Author | None, signal: str = "") -> ReloadResult:
        """Reload for `author`; None where a `signal` of that name asked for it.

        Raises ControlError, and JournalError; then nothing has changed.
        """
        config = await self._prepares.load(self._truth.config)
        prepared = await self._prepares.prepare(config)
        try:
            running, windows = self._truth.config, self._truth.windows
            result = differences(running, config, prepared.recertified, windows)
            entry = HistoryEntry(
                at=self._truth.now(),
                verb=DaemonReload.method,
                author=author,
                detail=f"by {signal}: {spoken(result)}" if signal else spoken(result),
            )
            await self._journal.commit((), entry)
        except BaseException:
            prepared.drop()
            raise
        tell_reload(entry, result.warnings)
        self._truth.configure(config)
        prepared.take_effect()
        return replace(result, warnings=(*result.warnings, *prepared.warnings))
