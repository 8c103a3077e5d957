"""A control side in memory: clocks to turn, a journal that can be made to fail, two sites."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from tests.control.surroundings import Pen, Preparation, Release, Serving, Supervisor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sorryd.control.commands import Commands
from sorryd.control.truth import Clocks, Truth
from sorryd.errors import ControlError
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
