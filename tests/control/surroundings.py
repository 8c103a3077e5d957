"""What the control side has around it, as far as it asks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed

from sorryd.control.reloading import Prepared
from sorryd.errors import ControlError
from sorryd.journal import Change, HistoryEntry, Journal, JournalError
from sorryd.model import Config
from sorryd.numbers import EdgeNumbers
from sorryd.reports import Active, ShownCertificate, WorkerSeen

if TYPE_CHECKING:
    from tests.control.world import World

T = TypeVar("T")


def at_once(function: Callable[..., T], *args: Any) -> Deferred[T]:
    return maybeDeferred(function, *args)


class Pen(Journal):
    """A journal that can be made to fail, and to keep its commits waiting."""

    def __init__(self, path: str) -> None:
        super().__init__(path, at_once)
        self.broken = False
        self.waiting: list[Callable[[], None]] | None = None  # a list: commits wait there
        self.commits: list[HistoryEntry] = []

    def write(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        if self.broken:
            return fail(JournalError("sorryd.db: disk I/O error"))
        if self.waiting is not None:
            done: Deferred[T] = Deferred()

            def write() -> None:
                self._at_last(function, *args).chainDeferred(done)

            self.waiting.append(write)
            return done
        return self._at_last(function, *args)

    def commit(self, changes: tuple[Change, ...], entry: HistoryEntry) -> Deferred[None]:
        self.commits.append(entry)
        return super().commit(changes, entry)

    def let_go(self) -> None:
        """Do what waits, and what comes then, at once."""
        waiting, self.waiting = self.waiting or [], None
        for write in waiting:
            write()

    def _at_last(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        return super().write(function, *args)


class Serving:
    """An edge, as far as commands ask it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def active(self) -> Deferred[Sequence[Active]]:
        return succeed(self._world.active)

    def settled(self) -> Deferred[None]:
        return self._world.settling or succeed(None)

    def numbers(self) -> Deferred[EdgeNumbers]:
        return succeed(self._world.numbers)

    def workers(self) -> list[WorkerSeen]:
        return self._world.workers

    def shown(self) -> list[ShownCertificate]:
        return self._world.shown


class Preparation:
    """The rest of the daemon, as far as a reload asks it: it gives the world's `next`.

    Where `refusal` is set, `step` is refused with it. `deeds` says what was done.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.next = world.config
        self.recertified: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.late: tuple[str, ...] = ()  # warnings, once it has taken effect
        self.refusal: tuple[str, ControlError] | None = None
        self.deeds: list[str] = []
        self.waiting: Deferred[Config] | None = None  # what `load` gives instead

    def load(self, running: Config) -> Deferred[Config]:
        self._begin("load")
        assert running == self._world.truth.config
        return self.waiting or self._refused("load") or succeed(self.next)

    def prepare(self, config: Config) -> Deferred[Prepared]:
        self._begin("prepare")
        assert config == self.next
        return self._refused("prepare") or succeed(self)

    def take_effect(self) -> Deferred[Sequence[str]]:
        assert self._world.truth.config == self.next
        self._begin("take effect")
        return succeed(self.late)

    def drop(self) -> None:
        self._begin("drop")

    def _begin(self, deed: str) -> None:
        self.deeds.append(deed)

    def _refused(self, step: str) -> Deferred[Any] | None:
        if self.refusal is None or self.refusal[0] != step:
            return None
        return fail(self.refusal[1])


class Release:
    """What is installed: see control.upgrading.Upgrades. `would_not` is why it would not start."""

    within = 60.0

    def __init__(self) -> None:
        self.would_not: ControlError | None = None
        self.deeds: list[str] = []
        self.nothing: Deferred[None] = Deferred()  # fires where nothing came of it

    def check(self) -> Deferred[str]:
        self.deeds.append("check")
        return succeed("0.2.0") if self.would_not is None else fail(self.would_not)

    def begin(self) -> Deferred[None]:
        self.deeds.append("begin")
        return self.nothing


class Supervisor:
    """Hears of reloads: see control.reloading.Hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def reload_begins(self) -> None:
        self.heard.append("begins")

    def reload_ends(self, is_refused: bool) -> None:
        self.heard.append("refused" if is_refused else "done")
