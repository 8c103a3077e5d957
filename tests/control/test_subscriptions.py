"""Events on the control socket: all of them, once, in order, to who reads; and no memory of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.control.conversations import Client, Conversations, ask
from tests.control.world import ALICE, NOON, SHARED, World, night
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from sorryd import history
from sorryd.control import subscriptions
from sorryd.control.server import STALL
from sorryd.control.subscriptions import Subscriptions
from sorryd.control.telling import deed
from sorryd.journal import HistoryEntry
from sorryd.messages import Request, SiteDown, SiteUp
from sorryd.replies import Result
from sorryd.reports import MemberFailed
from sorryd.window import Author


class Socket(Conversations):
    """The control socket of a world."""

    def __init__(self, world: World, most: int = 50) -> None:
        self.world = world
        events = Subscriptions(world.stream, lambda entry: deed(entry, world.config), most)
        super().__init__(subscriptions=events)

    def execute(self, request: Request, author: Author) -> Deferred[Result]:
        return self.world.commands.execute(request, author)

    def subscribe(self, **params: object) -> Client:
        """A client that has subscribed."""
        client = self.open()
        client.send(ask("events.subscribe", 1, **params))
        return client


@pytest.fixture
def socket(world: World) -> Socket:
    return Socket(world)


def events(client: Client) -> list[dict[str, Any]]:
    """The events that it was told of, each of which was a whole line."""
    assert client.transport.value()[-1:] in (b"", b"\n")
    return [line["params"] for line in client.answers() if line.get("method") == "event"]


def actions(client: Client) -> list[str]:
    return [event["action"] for event in events(client)]


def cursors(client: Client) -> list[int]:
    return [event["cursor"] for event in events(client)]


def fill(world: World, count: int) -> None:
    """So many deeds."""
    for number in range(count):
        world.ask(night(f"n{number}", from_=f"+{number + 30}h"))


def test_from_now_on(world: World, socket: Socket) -> None:
    """Who subscribes without a cursor is told of what comes, each as it is in the history."""
    fill(world, 3)
    client = socket.subscribe()
    (answer,) = client.answers()
    assert answer["result"] == {"cursor": 3}
    world.ask(SiteDown(site="shop", reason="fire"))
    first, second = events(client)
    assert (first["action"], first["author"]["name"], first["reason"]) == (
        "site.down",
        "alice",
        "fire",
    )
    assert first["cursor"] == 4
    assert (second["action"], second["after"][0]["phase"]) == ("site.phase", "draining")
    client.send(ask("history.list", 2, all=True))
    told = client.answers()[-1]["result"]["entries"]
    assert told[-2:] == [first, second]


def test_after_a_cursor(world: World, socket: Socket) -> None:
    """Who says what it had last gets all since, without a gap and nothing twice."""
    fill(world, 250)
    client = socket.subscribe(after=7)
    assert client.answers()[0] == {"jsonrpc": "2.0", "id": 1, "result": {"cursor": 7}}
    fill(world, 3)  # changes nothing, for they are there
    world.ask(SiteDown(site="blog"))
    assert cursors(client) == list(range(8, 253))


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_reconnecting(world: World, socket: Socket, cut: int) -> None:
    """Whenever a connection is lost, who goes on after its last cursor misses nothing."""
    fill(world, 20)
    client = socket.subscribe(after=0)
    seen = cursors(client)[:cut]
    client.hang_up()
    world.ask(SiteDown(site="shop"))
    again = socket.subscribe(after=seen[-1])
    assert seen + cursors(again) == list(range(1, 23))


def test_written_while_it_is_read(world: World, socket: Socket) -> None:
    """What is written while the journal is being read for a client is sent by a second reading."""
    client = socket.subscribe()
    answers: list[Deferred[tuple[HistoryEntry, ...]]] = []
    reading = world.stream.following

    def slow(after: int, site: str | None, limit: int) -> Deferred[tuple[HistoryEntry, ...]]:
        answers.append(Deferred())
        return answers[-1]

    world.stream.following = slow  # type: ignore[method-assign, assignment]  # answered later
    client.protocol.resumeProducing()
    world.ask(SiteDown(site="shop"))
    assert len(answers) == 1
    world.stream.following = reading  # type: ignore[method-assign]
    answers[0].callback(())
    assert actions(client) == ["site.down", "site.phase"]


def test_of_one_site(world: World, socket: Socket) -> None:
    """Who asks for a site gets its events, and those of every site."""
    client = socket.subscribe(after=0, site="blog")
    world.ask(SiteDown(site="shop"))
    world.ask(SiteUp())
    world.ask(SiteDown(site="blog"))
    assert {event["site"] for event in events(client)} == {"blog", None}
    assert "site.up" in actions(client)


def test_beside_requests(world: World, socket: Socket) -> None:
    """A connection that is subscribed can ask on; answers and events are whole lines."""
    client = socket.subscribe()
    for number, byte in enumerate(ask("site.down", 2, site="shop") + ask("status", 3)):
        client.send(bytes([byte]), turns=1 if number % 7 else 3)
    client.turn()
    ids = [answer.get("id") for answer in client.answers()]
    assert [one for one in ids if one is not None] == [1, 2, 3]
    assert actions(client) == ["site.down", "site.phase"]


def test_many_at_once(world: World, socket: Socket) -> None:
    """Everybody is told; one more than may be is refused, until another leaves."""
    socket = Socket(world, most=3)
    clients = [socket.subscribe() for _ in range(3)]
    late = socket.subscribe()
    assert late.answers()[0]["error"]["message"] == (
        "there are 3 subscriptions already: try again later"
    )
    world.ask(SiteDown(site="shop"))
    assert [len(events(client)) for client in (*clients, late)] == [2, 2, 2, 0]
    clients[0].hang_up()
    late.send(ask("events.subscribe", 2))
    assert "result" in late.answers()[-1]


def test_once_a_connection(socket: Socket) -> None:
    """A second subscription of a connection is refused; the first goes on."""
    client = socket.subscribe()
    client.send(ask("events.subscribe", 2))
    assert client.answers()[-1]["error"]["message"] == "this connection is subscribed already"
    socket.world.ask(SiteDown(site="shop"))
    assert len(events(client)) == 2


def test_who_does_not_read(world: World, socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not read is sent one batch at the most; it gets the rest when it reads again."""
    monkeypatch.setattr(subscriptions, "BATCH", 5)
    client = socket.subscribe()
    client.protocol.pauseProducing()
    fill(world, 23)
    assert events(client) == []
    client.protocol.resumeProducing()
    assert cursors(client) == list(range(1, 24))


def test_a_full_transport(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a batch fills the transport, the next one is not read before that is empty."""
    monkeypatch.setattr(subscriptions, "BATCH", 5)
    socket = Socket(world)
    client = socket.open()
    write = client.transport.write

    def fills(data: bytes) -> None:
        write(data)
        client.protocol.pauseProducing()

    fill(world, 12)
    client.send(ask("events.subscribe", 1, after=0))
    client.transport.write = fills  # type: ignore[method-assign]  # a transport that is full at once
    for count in (5, 10, 12):
        client.protocol.resumeProducing()
        assert len(events(client)) >= count - 5
    client.protocol.resumeProducing()
    assert cursors(client) == list(range(1, 13))


def test_who_never_reads(world: World, socket: Socket) -> None:
    """Who does not read for long is cut off, and nothing of it is left."""
    client = socket.subscribe()
    client.protocol.pauseProducing()
    world.ask(SiteDown(site="shop"))
    client.clock.advance(STALL)
    assert client.transport.disconnected
    client.hang_up()
    world.ask(SiteUp(site="shop"))
    assert events(client) == []
    assert client.clock.getDelayedCalls() == []


def test_who_says_good_bye(world: World, socket: Socket) -> None:
    """A FIN ends a subscription, and so does the end of the daemon."""
    leaving, staying = socket.subscribe(), socket.subscribe()
    leaving.protocol.readConnectionLost()
    assert leaving.transport.disconnecting
    socket.factory.finish()
    assert staying.transport.disconnecting
    world.ask(SiteDown(site="shop"))
    assert events(leaving) == events(staying) == []


def test_a_subscriber_makes_no_room(world: World) -> None:
    """A newcomer takes the place of who rests, not of who waits for events."""
    socket = Socket(world)
    socket.factory.max_connections = 2
    listening, resting = socket.subscribe(), socket.open()
    socket.open()
    assert not listening.transport.disconnected
    assert resting.transport.disconnected


def test_cursors_of_nowhere(world: World, socket: Socket) -> None:
    """A cursor of another journal, and one before a gap, are refused by name."""
    fill(world, 2)
    refused = socket.subscribe(after=3).answers()[0]["error"]
    assert refused["data"] == {"field": "after"}
    assert refused["message"] == "after: the last event is 2: is 3 of another journal?"
    world.journal._opened.execute("UPDATE pruned SET seq = 2")
    refused = socket.subscribe(after=1).answers()[0]["error"]
    assert refused["message"] == "after: events up to 2 are not kept whole any more"
    assert socket.subscribe(after=2).answers()[0]["result"] == {"cursor": 2}
    assert history.pruned(world.journal._opened) == 2


def test_a_gap_of_another_site(world: World, socket: Socket) -> None:
    """Who follows one site misses nothing where lines of another were removed."""
    fill(world, 2)
    for name in ("blog", "shop"):
        world.truth.report(MemberFailed(site=name, url=SHARED, why="refused"))
    history.prune(world.journal._opened, NOON, kept=0)
    gap = history.pruned(world.journal._opened)
    assert 0 < history.pruned(world.journal._opened, "blog") < gap
    assert "error" in socket.subscribe(after=gap - 1).answers()[0]
    assert "error" in socket.subscribe(after=gap - 1, site="shop").answers()[0]
    assert socket.subscribe(after=gap - 1, site="blog").answers()[0]["result"]


def test_a_journal_that_fails(world: World, socket: Socket) -> None:
    """Where the journal can't be read, the connection is closed, so that nobody waits in vain."""
    client = socket.subscribe()
    world.journal.close()
    with capturedLogs() as logged:
        for listener in world.journal.listeners:
            listener()
    assert client.transport.disconnecting
    assert "the journal is closed" in formatEvent(logged[0])


def test_large_events(world: World, socket: Socket) -> None:
    """An event that is larger than a batch should be is sent all the same."""
    client = socket.subscribe()
    reason = "x" * 2000
    for number in range(200):
        world.ask(night(f"n{number}", site=None, from_="now"))
    world.ask(SiteUp())
    world.ask(SiteDown(site="shop", reason=reason))
    assert events(client)[-2]["reason"] == reason
    assert ALICE.name in json.dumps(events(client)[0])
