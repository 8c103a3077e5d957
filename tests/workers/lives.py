"""Processes of workers that are only played, on a clock that the test turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.control.world import CONFIG, NOON, site
from twisted.internet.task import Clock

from sorryd.edge.listener import Bound
from sorryd.model import Config
from sorryd.policy.shares import Share
from sorryd.reports import Report
from sorryd.snapshot import MemberView, SiteView, Snapshot
from sorryd.workers import process
from sorryd.workers.interfaces import Outfit
from sorryd.workers.orders import Begin, Done, Order, Publish, Ready, Word
from sorryd.workers.remote import Remote
from sorryd.workers.seat import Seat

BEGIN = Begin(number=0, own_key=b"own", state="sorryd.db")


class Life:
    """One process, from the fork to its end, as the control process sees it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.orders: list[Order] = []
        self.fds: list[Sequence[int]] = []
        self.fault: OSError | None = None  # of what is sent with descriptors
        self.was_aborted = self.was_killed = self.was_let_go = False
        self.is_mortal = True  # ends when it is killed
        self._heard: Callable[[Word, Sequence[int]], None] | None = None
        self._lost: Callable[[], None] | None = None

    def open(self, heard: Callable[[Word, Sequence[int]], None], lost: Callable[[], None]) -> Life:
        self._heard, self._lost = heard, lost
        return self

    # --- as a channel ---

    def send(self, order: Order, fds: Sequence[int] = ()) -> None:
        if fds and self.fault is not None:
            raise self.fault
        self.orders.append(order)
        self.fds.append(fds)

    def abort(self) -> None:
        self.was_aborted = True
        self.end()

    # --- as a handle ---

    def kill(self) -> None:
        self.was_killed = True
        if self.is_mortal:
            self.end()

    def close(self) -> None:
        self.was_let_go = True

    # --- what a test lets it do ---

    def says(self, *words: Word) -> None:
        for word in words:
            assert self._heard is not None, "it has ended"
            self._heard(word, ())

    def comes(self) -> None:
        """It is there."""
        self.says(Ready(pid=self.pid))

    def does(self, count: int | None = None) -> None:
        """It has done `count` orders, or all that it was given."""
        self.says(Done(orders=len(self.orders) if count is None else count))

    def lives(self) -> None:
        """It comes, and does all."""
        self.comes()
        self.does()

    def end(self) -> None:
        """It is gone, or its channel is."""
        lost, self._lost, self._heard = self._lost, None, None
        if lost is not None:
            lost()

    def told(self) -> list[str]:
        """What it was told, by the names of the orders."""
        return [type(order).__name__ for order in self.orders]


class Lives:
    """All processes that were ever asked for. `refusal`: there can be none for now."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        self.all: list[Life] = []
        self.refusal: OSError | None = None
        self.reports: list[Report] = []
        self.lost: list[int] = []
        self.leaving: list[Remote] = []
        self.seat = Seat(
            self.clock,
            lambda: NOON + self.clock.seconds(),
            BEGIN,
            self.fork,
            self.reports.append,
            self.lost.append,
        )
        monkeypatch.setattr(process, "open_channel", _opened)
        monkeypatch.setattr(process, "Handle", self._handle)

    def fork(self) -> Any:
        if self.refusal is not None:
            raise self.refusal
        self.all.append(Life(100 + len(self.all)))
        return self.all[-1]

    def _handle(self, pid: int) -> Life:
        return self.all[pid - 100]

    @property
    def last(self) -> Life:
        """The process that was asked for last."""
        return self.all[-1]

    def remote(self, number: int = 1, of: int = 2) -> Remote:
        return Remote(self.seat, Share(number=number, of=of), self.leaving.append)


def _opened(
    reactor: Any,
    life: Life,
    name: str,
    hears: Any,
    heard: Callable[[Word, Sequence[int]], None],
    lost: Callable[[], None],
) -> Life:
    return life.open(heard, lost)


# --- what they are told ---


class Sock:
    """A listening socket that nobody listens at."""

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        return self._number


def view(name: str = "shop", **fields: Any) -> SiteView:
    """A site as it is published."""
    one = fields.pop("site", None) or CONFIG.sites[0]
    members = tuple(MemberView(member=member) for member in one.members)
    return SiteView(**{"site": site(name, *one.members), "members": members, **fields})


def snapshot(serial: int, *views: SiteView) -> Snapshot:
    return Snapshot(serial=serial, sites=views or (view(),))


def outfit(*keys: int, config: Config = CONFIG) -> Outfit:
    """Sockets with these keys, their descriptors are ten times that."""
    listen = CONFIG.sites[0].listen[0]
    bound: list[Any] = [Bound(listen, ("shop",), Sock(10 * key), key=key) for key in keys]  # type: ignore[arg-type]  # only asked for its number
    return Outfit(config, bound, {})


@pytest.fixture
def lives(monkeypatch: pytest.MonkeyPatch) -> Lives:
    return Lives(monkeypatch)


def serving(lives: Lives, number: int = 1) -> Remote:
    """A worker that does all that it was told."""
    worker = lives.remote(number)
    worker.apply(snapshot(1))
    worker.fit(outfit(1, 2))
    lives.last.lives()
    assert worker.serves
    return worker


def publishes(life: Life) -> list[Publish]:
    return [order for order in life.orders if isinstance(order, Publish)]


def has_fired(deferred: Any) -> bool:
    fired: list[Any] = []
    deferred.addBoth(fired.append)
    return bool(fired)
