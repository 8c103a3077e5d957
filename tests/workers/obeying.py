"""An edge process that obeys, in one process with the test, which orders and listens."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace
from tests.workers.lives import BEGIN, view
from tests.workers.turning import Turning

from sorryd.edge.readiness import EpollReadiness
from sorryd.model import Listen
from sorryd.recording import LogTo
from sorryd.snapshot import SiteView
from sorryd.workers.channel import Channel, open_channel
from sorryd.workers.logging import Lines
from sorryd.workers.main import Main
from sorryd.workers.orders import (
    Done,
    Fit,
    Hurry,
    Opening,
    Order,
    Papers,
    Publish,
    Stop,
    Word,
)
from sorryd.workers.patches import patches

W = TypeVar("W", bound=Word)


LISTEN = Listen(host="127.0.0.1", port=0)


class Reactor:
    """One that turns, and notes that it was to stop."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.stops = 0

    def stop(self) -> None:
        self.stops += 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


class Stage:
    """A worker, and the control process's end of its channel."""

    def __init__(self, turning: Turning, state: Path) -> None:
        self.turning = turning
        self.reactor = Reactor(turning.reactor)
        self.state = state
        self.words: list[Word] = []
        self.lost = 0
        self.ordered = 0
        self.lines = Lines()
        ours, theirs = socket.socketpair()
        self.channel: Channel[Word] = open_channel(
            turning.reactor, ours, "worker", Word, self._heard, self._lost
        )
        self.door = socket.create_server(("127.0.0.1", 0))
        self.main = Main(self.reactor, theirs, self.lines)
        self.main.start()

    def _heard(self, word: Word, fds: Sequence[int]) -> None:
        assert fds == ()
        self.words.append(word)

    def _lost(self) -> None:
        self.lost += 1

    def said(self, kind: type[W]) -> list[W]:
        return [word for word in self.words if isinstance(word, kind)]

    def order(self, *orders: Order) -> None:
        """Let it do these, one after the other, and wait until it says so."""
        for order in orders:
            fds = [self.door.fileno()] if isinstance(order, Fit) and order.openings else []
            self.channel.send(order, fds if fds and order.openings[0].is_new else [])  # type: ignore[union-attr]  # it is a Fit
            self.ordered += 1
        self.turning.until(lambda: Done(orders=self.ordered) in self.words or self.lost)

    def begin(self, *views: SiteView) -> None:
        """Let it serve."""
        self.order(
            replace(BEGIN, number=1, state=str(self.state / "sorryd.db")),
            published(1, *(views or (served(),))),
            fit(),
        )

    def ask(self) -> bytes:
        """What a visitor gets; b"" where nobody answers."""
        with socket.create_connection(self.door.getsockname()) as visitor:
            visitor.send(b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
            visitor.setblocking(False)
            got = bytearray()

            def read() -> bool:
                try:
                    piece = visitor.recv(65536)
                except BlockingIOError:
                    return False
                got.extend(piece)
                return not piece

            self.turning.until(read)
        return bytes(got)

    def end(self) -> None:
        if not self.main._has_ended:
            self.order(Hurry(), Stop(limit=0))
        self.turning.until(lambda: self.reactor.stops)
        self.door.close()
        for reader in self.turning.reactor.getReaders():  # the edge's epoll ends with the process
            if isinstance(reader, EpollReadiness):
                reader.close()


def served(**fields: Any) -> SiteView:
    """The shop with a member that nobody reaches."""
    return view(**fields)


def published(serial: int, *views: SiteView, known: SiteView | None = None) -> Publish:
    """What tells of `views` to a worker that knows one of them as it was, or none."""
    names = tuple(one.site.name for one in views)
    before = {} if known is None else {known.site.name: known}
    return Publish(serial=serial, sites=names, patches=patches(before, views))


def fit(papers: tuple[Papers, ...] = (), is_new: bool = True, path: str = "") -> Fit:
    opening = Opening(key=1, listen=LISTEN, sites=("shop",), is_new=is_new)
    return Fit(openings=(opening,), papers=papers, log=LogTo(path=path), retire=60.0)
