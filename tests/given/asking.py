"""A fetcher on a clock that is turned, and the servers that it asks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.at_once import AtOnce
from tests.given.yard import site
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from sorryd.given.copies import Copy, NotGood
from sorryd.given.fetching import Fetcher, first_copies
from sorryd.model import Site, SorryMode
from sorryd.snapshot import GivenPage

URL = "https://pages.example/sorry"
OTHER = "http://pages.example/other"


def fetching(name: str = "shop", url: str = URL) -> Site:
    return site(name, sorry_mode=SorryMode.FETCH, sorry_url=url)


def copy(text: bytes = b"<p>sorry", url: str = URL, etag: str = '"1"') -> Copy:
    return Copy(url=url, page=GivenPage(body=text, media_type="text/html", since=5.0), etag=etag)


class Asked(NamedTuple):
    """A request that waits for its answer."""

    url: str
    before: Copy | None
    answer: Deferred[Copy]


class Reactor(Clock, AtOnce):
    """A clock; what would go through a thread is done at once."""


class World:
    """A fetcher and the servers that it asks."""

    def __init__(self, folder: Path) -> None:
        self.reactor = Reactor()
        self.folder = str(folder)
        self.asked: list[Asked] = []
        self.cancelled: list[str] = []
        self.fetched: dict[str, GivenPage | None] = {}
        self.lines: list[str] = []
        self.begin()

    def begin(self) -> None:
        self.fetched.clear()
        self.asked.clear()
        self.fetcher = Fetcher(
            self.reactor, self.folder, self._get, self.fetched.__setitem__, lambda: 0.5
        )

    def _get(self, url: str, before: Copy | None) -> Deferred[Copy]:
        answer: Deferred[Copy] = Deferred(lambda _: self.cancelled.append(url))
        self.asked.append(Asked(url, before, answer))
        return answer

    def use(self, *sites: Site) -> None:
        self.fetcher.use(sites, first_copies(sites, self.folder))
        self.reactor.advance(0)

    def ask(self) -> Asked:
        """The only request that waits."""
        (asked,) = self.asked
        self.asked.clear()
        return asked

    def good(self, page: Copy | None = None) -> None:
        """It answers."""
        self.ask().answer.callback(page or copy())

    def bad(self, why: str = "connection refused") -> None:
        """It does not."""
        self.ask().answer.errback(NotGood(why))

    def next(self) -> float:
        """Seconds until the next request."""
        (call,) = self.reactor.getDelayedCalls()
        wait = call.getTime() - self.reactor.seconds()
        self.reactor.advance(wait)
        return wait

    def body(self, name: str = "shop") -> bytes | None:
        page = self.fetched[name]
        return None if page is None else page.body
