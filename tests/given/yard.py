"""A reactor that turns only when it is told to, over real descriptors and real threads."""

from __future__ import annotations

import select
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from msgspec.structs import replace
from tests.end_to_end.waiting import until
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import Clock

from sorryd.model import PageSource, Site
from sorryd.snapshot import GivenPage

SITE = Site(
    name="shop",
    listen=(),
    members=(),
    timezone="UTC",
    sorry_pages=(PageSource(source="sorry"),),
)


def site(name: str = "shop", **fields: Any) -> Site:
    """A site with these of its fields."""
    return replace(SITE, name=name, **fields)


class Yard(Clock):
    """The reactor, and what was found: of each site the last page, None: it is gone."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, GivenPage | None] = {}
        self._readers: dict[int, IReadDescriptor] = {}
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()

    def addReader(self, reader: IReadDescriptor) -> None:
        self._readers[reader.fileno()] = reader

    def removeReader(self, reader: IReadDescriptor) -> None:
        self._readers.pop(reader.fileno(), None)

    def removeWriter(self, writer: object) -> None:
        pass

    def callFromThread(self, call: Callable[..., object], *args: object, **named: object) -> None:
        self._calls.put(lambda: call(*args, **named))

    def turn(self) -> None:
        """Do what there is to do, and wait for nothing."""
        self.advance(0)
        if self._readers:
            for descriptor in select.select(self._readers, (), (), 0)[0]:
                self._readers[descriptor].doRead()
        while True:
            try:
                self._calls.get_nowait()()
            except Empty:
                return

    def until(self, look: Callable[[], object], what: str) -> None:
        """Turn until `look` finds something true."""

        def turned() -> object:
            self.turn()
            return look()

        until(turned, what)

    def note(self, name: str, page: GivenPage | None) -> None:
        """What is found is told here."""
        self.found[name] = page

    def body(self, name: str = "shop") -> bytes | None:
        """What was found last; None: no page."""
        page = self.found.get(name)
        return None if page is None else page.body

    @property
    def watches(self) -> int:
        """Descriptors that are waited for."""
        return len(self._readers)

    @property
    def waiting(self) -> int:
        """Calls of threads that wait for a turn."""
        return self._calls.qsize()
