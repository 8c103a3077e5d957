"""A new configuration in place of the running one, with nothing lost.

All that can fail comes first: the file is read, addresses are bound, certificates loaded, and
the deed is written down. Only then does anything change, and that all at once. So a reload that
is refused has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Final, Protocol, TypeVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock

from sorryd.control.chronicle import tell_reload, tell_warnings
from sorryd.control.differences import differences, spoken
from sorryd.control.observed import Commits
from sorryd.control.truth import Truth
from sorryd.errors import conflict
from sorryd.journal import HistoryEntry
from sorryd.messages import DaemonReload
from sorryd.model import Config
from sorryd.replies import ReloadResult
from sorryd.window import Author

T = TypeVar("T")


class Prepared(Protocol):
    """A configuration for which everything is at hand."""

    @property
    def recertified(self) -> Collection[str]:
        """Sites that will show other certificates than now."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the operator should know of it; the log is told of it at other times too."""

    def take_effect(self) -> Deferred[Sequence[str]]:
        """Serve by it; the truth does so already.

        Fires when that is so everywhere, with what the operator should know where it is not.
        """

    def drop(self) -> None:
        """Let go of what was opened for it."""


class Prepares(Protocol):
    """What a reload needs of the rest of the daemon. What fails, fails with ControlError."""

    def load(self, running: Config) -> Deferred[Config]:
        """The file as it is now, if it may take the place of the `running` configuration."""

    def prepare(self, config: Config) -> Deferred[Prepared]:
        """Do all for `config` that can fail, and change nothing."""


class Hears(Protocol):
    """Somebody outside, who wants to know."""

    def reload_begins(self) -> None:
        """A reload that was asked for begins."""

    def reload_ends(self, is_refused: bool) -> None:
        """It is over, and has changed nothing where it `is_refused`."""


class _Nobody:
    def reload_begins(self) -> None:
        pass

    def reload_ends(self, is_refused: bool) -> None:
        pass


NOBODY: Final[Hears] = _Nobody()


class Only:
    """One reload or upgrade at a time, and none while an upgrade `has_begun`."""

    def __init__(self) -> None:
        self.has_begun = False
        self._lock = DeferredLock()

    def run(self, do: Callable[[], Coroutine[Deferred[Any], Any, T]]) -> Deferred[T]:
        """Do it when nothing else of the kind is under way; may fail with ControlError."""
        return self._lock.run(lambda: Deferred.fromCoroutine(self._run(do)))

    async def _run(self, do: Callable[[], Coroutine[Deferred[Any], Any, T]]) -> T:
        if self.has_begun:
            raise conflict("an upgrade is under way: ask the release that comes")
        return await do()


class Reload:
    """Carries out reloads, one at a time.

    Only what changes something waits for its `turn` among other changes: whatever a disk does
    while files are read, a site can be taken down.
    """

    def __init__(
        self,
        truth: Truth,
        journal: Commits,
        prepares: Prepares,
        turn: DeferredLock,
        hears: Hears,
        only: Only,
    ) -> None:
        self._truth = truth
        self._journal = journal
        self._prepares = prepares
        self._turn = turn
        self._hears = hears
        self._only = only

    def run(self, author: Author | None, signal: str = "") -> Deferred[ReloadResult]:
        """Reload for `author`; None where a `signal` of that name asked for it.

        Fails with ControlError, and JournalError; then nothing has changed.
        """
        return self._only.run(lambda: self._heard(author, signal))

    async def _heard(self, author: Author | None, signal: str) -> ReloadResult:
        is_refused = True
        self._hears.reload_begins()
        try:
            result = await self._run(author, signal)
            is_refused = False
            return result
        finally:
            self._hears.reload_ends(is_refused)

    async def _run(self, author: Author | None, signal: str) -> ReloadResult:
        config = await self._prepares.load(self._truth.config)
        prepared = await self._prepares.prepare(config)
        return await self._turn.run(
            lambda: Deferred.fromCoroutine(self._finish(config, prepared, author, signal))
        )

    async def _finish(
        self, config: Config, prepared: Prepared, author: Author | None, signal: str
    ) -> ReloadResult:
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
        late = await prepared.take_effect()
        tell_warnings(entry, late)
        return replace(result, warnings=(*result.warnings, *prepared.warnings, *late))
