"""Conversations on the control socket, in memory, on a clock that stands."""

from __future__ import annotations

import json
from typing import Any

from tests.control.surroundings import at_once
from tests.control.world import CONFIG
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from sorryd.control.permission import Peer, Permission
from sorryd.control.server import ControlFactory, ControlProtocol
from sorryd.control.subscriptions import Subscriptions
from sorryd.control.telling import deed
from sorryd.errors import not_found
from sorryd.journal import Journal
from sorryd.messages import Request, SiteUp, Status
from sorryd.replies import Result, VersionResult
from sorryd.stream import Stream
from sorryd.window import Author

VERSION = VersionResult(version="1", python="3", twisted="2", openssl="o", started="")
PERMISSION = Permission(uid=500, gid=77)
OPERATOR = Peer(pid=9, uid=4_000_000, gids=(4, 77))
READER = Peer(pid=9, uid=4_000_000, gids=(4,))


def ask(method: str, call_id: object = 1, **params: object) -> bytes:
    """A request line."""
    request = {"jsonrpc": "2.0", "id": call_id, "method": method, "params": params}
    return json.dumps(request).encode() + b"\n"


def notify(method: str) -> bytes:
    """A request line without an id."""
    return json.dumps({"jsonrpc": "2.0", "method": method}).encode() + b"\n"


def no_subscriptions() -> Subscriptions:
    """For those who subscribe to nothing: a journal that is not open."""
    stream = Stream(Journal("nowhere.db", at_once))
    return Subscriptions(stream, lambda entry: deed(entry, CONFIG))


class Conversations:
    """A control socket in memory; commands are answered at once, or when the test says so."""

    def __init__(
        self,
        peer: Peer = OPERATOR,
        at_once: bool = True,
        most: int = 100,
        subscriptions: Subscriptions | None = None,
    ) -> None:
        self.clock = Clock()
        self.asked: list[tuple[Request, Author]] = []
        self.waiting: list[Deferred[Result]] = []
        self.at_once = at_once
        events = subscriptions or no_subscriptions()
        self.factory = ControlFactory(
            self.clock, self.execute, PERMISSION, events, lambda transport: peer, most
        )

    def execute(self, request: Request, author: Author) -> Deferred[Result]:
        self.asked.append((request, author))
        if isinstance(request, Status):
            return fail(not_found("nosuch: no such site", "site"))
        if isinstance(request, SiteUp):
            raise RuntimeError("a bug")
        if self.at_once:
            return succeed(VERSION)
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def requests(self) -> list[Request]:
        return [request for request, _ in self.asked]

    def open(self) -> Client:
        return Client(self)


class Client:
    """One connection to it."""

    def __init__(self, conversations: Conversations) -> None:
        self.clock = conversations.clock
        self.transport = StringTransport()
        protocol = conversations.factory.buildProtocol(None)
        assert isinstance(protocol, ControlProtocol)
        self.protocol = protocol
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes, turns: int = 50) -> None:
        """Give `data` to the server in one piece, and let it take `turns` of the reactor."""
        self.protocol.dataReceived(data)
        self.turn(turns)

    def turn(self, turns: int = 50) -> None:
        for _ in range(turns):
            self.clock.advance(0)

    def answers(self) -> list[dict[str, Any]]:
        """All answers so far."""
        return [json.loads(line) for line in self.transport.value().splitlines()]

    def ids(self) -> list[object]:
        return [answer["id"] for answer in self.answers()]

    def hang_up(self) -> None:
        """The connection is gone."""
        self.protocol.connectionLost()
        self.turn()
