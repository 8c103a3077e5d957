"""A control side in memory: clocks to turn, a journal that can be made to fail, two sites."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.python.failure import Failure

from sorryd.control.commands import Commands
from sorryd.control.reloading import Prepared
from sorryd.control.truth import Clocks, Truth
from sorryd.errors import ControlError
from sorryd.journal import Change, HistoryEntry, Journal, JournalError
from sorryd.messages import Request, WindowSchedule
from sorryd.model import Config, Listen, Member, PageSource, Site
from sorryd.numbers import EdgeNumbers
from sorryd.reports import Active, ShownCertificate, WorkerSeen
from sorryd.snapshot import Snapshot
from sorryd.stream import Stream
from sorryd.window import Author, Window, WindowKind

T = TypeVar("T")

ALICE = Author(uid=1000, name="alice", pid=42)
NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
HOUR = 3600.0
OWN_KEY = b"the daemon's own"
A, B, SHARED = "http://10.0.0.1:3000", "http://10.0.0.2:3000", "http://10.0.0.9:3000"


def member(url: str, **fields: Any) -> Member:
    host, port = url.removeprefix("http://").split(":")
    return msgspec.structs.replace(Member(url=url, host=host, port=int(port)), **fields)


def site(name: str, *members: Member, **fields: Any) -> Site:
    given = Site(
        name=name,
        listen=(Listen(host="127.0.0.1", port=0),),
        members=members,
        timezone="Europe/Berlin",
        sorry_pages=(PageSource(source="sorry"),),
    )
    return msgspec.structs.replace(given, **fields)


def window(
    name: str, start: float = NOON, end: float | None = NOON + 3600, **fields: Any
) -> Window:
    given = Window(
        id=name,
        site="shop",
        kind=WindowKind.PLANNED,
        start=start,
        end=end,
        reason="disks",
        timezone="Europe/Berlin",
        author=ALICE,
        created=NOON - 86400,
    )
    return msgspec.structs.replace(given, **fields)


def night(
    name: str = "night",
    from_: str = "+10m",
    for_: str = "1h",
    site: str | None = "shop",
    **fields: object,
) -> WindowSchedule:
    return WindowSchedule(from_=from_, for_=for_, id=name, site=site, reason="disks", **fields)  # type: ignore[arg-type]  # rows


CONFIG = Config(
    file="sorryd.ini",
    control="control.sock",
    state="sorryd.db",
    timezone="UTC",
    sites=(
        site("shop", member(A, weight=3), member(B), member(SHARED, standby=True)),
        site("blog", member(SHARED)),
    ),
)


def result(deferred: Deferred[T]) -> T:
    """What `deferred` has fired with; raises what it has failed with."""
    results: list[Any] = []
    deferred.addBoth(results.append)
    assert results, "it has not fired"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0]  # type: ignore[no-any-return]  # the Deferred said what it is


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


class World:
    """A truth and its commands, on clocks that stand until they are turned."""

    def __init__(self, path: str, config: Config = CONFIG) -> None:
        self.path = path
        self.config = config
        self.wall = NOON
        self.monotonic = 1000.0
        self.journal = Pen(path)
        self.begin()

    def begin(self) -> None:
        """Start as the daemon does."""
        self.published: list[Snapshot] = []
        self.wakes: list[float] = []
        self.active: list[Active] = []
        self.shown: list[ShownCertificate] = []
        self.numbers = EdgeNumbers()
        self.workers: list[WorkerSeen] = []
        self.settling: Deferred[None] | None = None  # when all workers are where we are
        self.supervisor = Supervisor()
        self.release = Release()
        self._names = iter(f"w{number}" for number in range(1, 1000))
        self.journal.open()
        clocks = Clocks(wall=lambda: self.wall, monotonic=lambda: self.monotonic)
        self.truth = Truth(
            self.config,
            self.journal.load(),
            self.journal,
            clocks,
            self.published.append,
            self.wakes.append,
        )
        self.preparation = Preparation(self)
        self.stream = Stream(self.journal)
        self.commands = Commands(
            self.truth,
            self.journal,
            self.stream,
            Serving(self),
            self.preparation,
            OWN_KEY,
            lambda: next(self._names),
            hears=self.supervisor,
            upgrades=self.release,
        )
        self.truth.look()

    def restart(self) -> None:
        """Die without a word, and start again."""
        self.journal.close()
        self.journal = Pen(self.path)
        self.begin()

    def wait(self, seconds: float) -> None:
        """Turn both clocks, and look."""
        self.step(seconds)
        self.monotonic += seconds
        self.truth.look()

    def step(self, seconds: float) -> None:
        """Turn the wall clock alone."""
        self.wall += seconds

    def ask(self, request: Request) -> Any:
        """The answer to a request, which has come at once."""
        return result(self.commands.execute(request, ALICE))

    def ask_later(self, request: Request) -> Deferred[Any]:
        """The answer to a request, when it comes."""
        return self.commands.execute(request, ALICE)

    def refused(self, request: Request) -> ControlError:
        """Why a request was refused."""
        try:
            self.ask(request)
        except ControlError as error:
            return error
        raise AssertionError("it was not refused")

    def phase(self, site_name: str = "shop") -> str:
        """The phase of a site."""
        (site,) = (site for site in self.config.sites if site.name == site_name)
        return self.truth.standing(site).phase.value

    def ids(self) -> set[str]:
        """The windows that may act."""
        return {window.id for window in self.truth.windows if not window.is_final}


def phases(world: World) -> list[str]:
    return [world.phase("shop"), world.phase("blog")]
