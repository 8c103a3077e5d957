"""Conversations on the control socket, in memory: bytes in, bytes out, a clock that stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from sorryd.control.lines import MAX_LINE
from sorryd.control.permission import Peer, Permission
from sorryd.control.server import STALL, ControlFactory, ControlProtocol
from sorryd.messages import DaemonVersion, Request, SiteDown, SiteUp, Status, not_found
from sorryd.model import Author
from sorryd.replies import Result, StatusResult, VersionResult

VERSION = VersionResult(version="1", python="3", twisted="2", openssl="o")
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


class Conversations:
    """A control socket in memory; commands are answered at once, or when the test says so."""

    def __init__(self, peer: Peer = OPERATOR, at_once: bool = True, most: int = 100) -> None:
        self.clock = Clock()
        self.asked: list[tuple[Request, Author]] = []
        self.waiting: list[Deferred[Result]] = []
        self.at_once = at_once
        self.factory = ControlFactory(
            self.clock, self.execute, PERMISSION, lambda transport: peer, most
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


@pytest.fixture
def failures() -> Iterator[list[LogEvent]]:
    """The tracebacks logged meanwhile."""
    seen: list[LogEvent] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "log_failure" in event:
            seen.append(event)

    globalLogPublisher.addObserver(observe)
    yield seen
    globalLogPublisher.removeObserver(observe)


DIALOGUES: list[tuple[str, bytes, list[object]]] = [
    ("one", ask("daemon.version"), [1]),
    ("three in order", ask("daemon.version", 1) + ask("status", 2) + ask("site.down", "x"),
     [1, 2, "x"]),
    ("carriage returns", ask("daemon.version").replace(b"\n", b"\r\n"), [1]),
    ("blank lines", b"\n \r\n\n" + ask("daemon.version") + b"\n\n", [1]),
    ("junk between", b"hello\n" + ask("daemon.version") + b"{}\n[]\n", [None, 1, None, None]),
    ("notification", notify("site.down") + ask("daemon.version"), [1]),
    ("bad notification", notify("reboot") + ask("daemon.version"), [1]),
    ("null id", ask("daemon.version", None), [None]),
    ("same id twice", ask("status", 5) + ask("status", 5), [5, 5]),
    ("unfinished", ask("daemon.version") + b'{"jsonrpc"', [1]),
]  # fmt: skip


@pytest.mark.parametrize("step", [None, 1, 7], ids=["whole", "byte by byte", "by sevens"])
@pytest.mark.parametrize(
    ("sent", "ids"), [row[1:] for row in DIALOGUES], ids=[row[0] for row in DIALOGUES]
)
def test_dialogues(sent: bytes, ids: list[object], step: int | None) -> None:
    """Answers come in the order asked, with the ids asked, however the bytes arrive."""
    client = Conversations().open()
    for start in range(0, len(sent), step or len(sent)):
        client.send(sent[start : start + (step or len(sent))], turns=10)
    assert client.ids() == ids
    assert not client.transport.disconnecting


def test_split_anywhere() -> None:
    """Two reads, wherever the first one ends, are answered like one."""
    sent = ask("daemon.version", 1) + b"{}\n" + ask("daemon.version", 2)
    for cut in range(len(sent)):
        client = Conversations().open()
        client.send(sent[:cut], turns=5)
        client.send(sent[cut:], turns=5)
        assert client.ids() == [1, None, 2], cut


def test_result_and_author() -> None:
    """A command is run once, by the author the kernel names, and its result is the answer."""
    conversations = Conversations()
    client = conversations.open()
    client.send(ask("site.down", reason="r"))
    assert conversations.asked == [
        (SiteDown(reason="r"), Author(uid=4_000_000, name="4000000", pid=9))
    ]
    (answer,) = client.answers()
    assert answer["result"] == {"version": "1", "python": "3", "twisted": "2", "openssl": "o"}


def test_refused_command(failures: list[LogEvent]) -> None:
    """A command's own refusal is answered as it is, and is no failure."""
    client = Conversations().open()
    client.send(ask("status", site="nosuch"))
    (answer,) = client.answers()
    assert answer["error"] == {
        "code": -32001,
        "message": "nosuch: no such site",
        "data": {"field": "site"},
    }
    assert failures == []


def test_failing_command(failures: list[LogEvent]) -> None:
    """A bug is logged with its traceback and answered without details; the next one is served."""
    client = Conversations().open()
    client.send(ask("site.up") + ask("daemon.version", 2))
    first, second = client.answers()
    assert first["error"]["code"] == -32603
    assert "a bug" not in first["error"]["message"]
    assert second["id"] == 2
    assert [str(event["log_failure"].value) for event in failures] == ["a bug"]


def test_unencodable_result(failures: list[LogEvent]) -> None:
    """A result that is no JSON is a bug like others."""
    conversations = Conversations(at_once=False)
    client = conversations.open()
    client.send(ask("daemon.version"))
    conversations.waiting[0].callback(StatusResult(version="\ud800", pid=1, now="", sites=()))
    assert client.answers()[0]["error"]["code"] == -32603
    assert len(failures) == 1


@pytest.mark.parametrize(
    ("peer", "changes"),
    [
        (Peer(pid=1, uid=0, gids=(0,)), True),
        (Peer(pid=1, uid=500, gids=(1,)), True),
        (OPERATOR, True),
        (Peer(pid=1, uid=4_000_000, gids=(77,)), True),
        (READER, False),
        (Peer(pid=1, uid=77, gids=(0, 500)), False),
    ],
    ids=["root", "daemon", "group", "primary group", "reader", "numbers mixed up"],
)
def test_permission(peer: Peer, changes: bool) -> None:
    """Whoever connects may read; root, the daemon's user and the control group may change."""
    conversations = Conversations(peer)
    client = conversations.open()
    client.send(ask("daemon.version", 1) + ask("site.down", 2))
    read, change = client.answers()
    assert "result" in read
    if changes:
        assert "result" in change
    else:
        assert change["error"]["code"] == -32002
        assert conversations.requests() == [DaemonVersion()]


def test_one_at_a_time() -> None:
    """The next request waits for the answer before; meanwhile the client is not read."""
    conversations = Conversations(at_once=False)
    client = conversations.open()
    client.send(ask("daemon.version", 1) + ask("site.down", 2))
    assert len(conversations.asked) == 1
    assert client.transport.producerState == "paused"
    conversations.waiting[0].callback(VERSION)
    client.turn()
    assert (len(conversations.asked), client.ids()) == (2, [1])
    conversations.waiting[1].callback(VERSION)
    client.turn()
    assert client.ids() == [1, 2]
    assert client.transport.producerState == "producing"


def test_a_turn_between_requests() -> None:
    """Of many requests in one read one is run at once, the next by a timer that is due."""
    conversations = Conversations()
    client = conversations.open()
    client.send(ask("daemon.version") * 20, turns=0)
    assert len(conversations.asked) == 1
    assert [call.getTime() for call in client.clock.getDelayedCalls()] == [0]
    client.turn(1)
    assert len(conversations.asked) == 20


def test_half_closed() -> None:
    """A client that asks and half-closes gets all answers, an unfinished line's too; then EOF."""
    conversations = Conversations(at_once=False)
    client = conversations.open()
    client.send(ask("daemon.version", 1) + ask("site.down", 2).rstrip())
    client.protocol.readConnectionLost()
    client.turn()
    conversations.waiting[0].callback(VERSION)
    client.turn()
    assert not client.transport.disconnecting
    conversations.waiting[1].callback(VERSION)
    client.turn()
    assert client.ids() == [1, 2]
    assert client.transport.disconnecting


def test_half_closed_without_a_word() -> None:
    """A client that half-closes at once is closed, without a word."""
    client = Conversations().open()
    client.protocol.readConnectionLost()
    assert client.transport.value() == b""
    assert client.transport.disconnecting


def test_gone_while_waiting(failures: list[LogEvent]) -> None:
    """A client that leaves does not undo its command; what it had asked after is not run."""
    conversations = Conversations(at_once=False)
    client = conversations.open()
    client.send(ask("site.down", 1) + ask("site.down", 2))
    client.hang_up()
    conversations.waiting[0].callback(VERSION)
    client.turn()
    assert len(conversations.asked) == 1
    assert client.transport.value() == b""
    assert failures == []
    assert client.clock.getDelayedCalls() == []


@pytest.mark.parametrize("end", [b"", b"\n"], ids=["endless", "ended"])
def test_long_line(end: bytes) -> None:
    """A line of more than 1 MiB gets an error object, then the connection is closed."""
    conversations = Conversations()
    client = conversations.open()
    client.send(ask("daemon.version", 1))
    sent = b'"' + b"x" * MAX_LINE + end
    for start in range(0, len(sent), 65536):
        client.send(sent[start : start + 65536], turns=1)
    _, answer = client.answers()
    assert (answer["id"], answer["error"]["code"]) == (None, -32600)
    assert "1048576 bytes" in answer["error"]["message"]
    assert client.transport.disconnecting
    client.send(ask("site.down", 2))
    assert conversations.requests() == [DaemonVersion()]


def test_longest_line() -> None:
    """A line of just 1 MiB is served."""
    start = b'{"jsonrpc":"2.0","id":1,"method":"daemon.version"'
    client = Conversations().open()
    client.send(start + b" " * (MAX_LINE - len(start) - 1) + b"}\n")
    assert "result" in client.answers()[0]


def test_client_that_does_not_read() -> None:
    """While answers lie unread nothing more is run or read; it goes on when they are read."""
    conversations = Conversations()
    client = conversations.open()
    client.protocol.pauseProducing()
    client.send(ask("daemon.version", 1) + ask("daemon.version", 2))
    assert conversations.asked == []
    assert client.transport.producerState == "paused"
    client.clock.advance(STALL - 1)
    client.protocol.resumeProducing()
    client.turn()
    assert client.ids() == [1, 2]
    assert client.transport.producerState == "producing"
    client.clock.advance(STALL)
    assert not client.transport.disconnected


def test_client_that_never_reads() -> None:
    """After some time a client that does not read is cut off, and nothing of it is left."""
    conversations = Conversations()
    client = conversations.open()
    client.protocol.pauseProducing()
    client.clock.advance(STALL)
    assert client.transport.disconnected
    client.hang_up()
    assert client.clock.getDelayedCalls() == []


def test_client_that_does_not_take_its_last_answer() -> None:
    """A half-closed client that never reads is cut off in time too."""
    client = Conversations().open()
    client.send(ask("daemon.version"))
    client.protocol.readConnectionLost()
    assert client.transport.disconnecting
    assert not client.transport.disconnected
    client.clock.advance(STALL)
    assert client.transport.disconnected


def test_too_many_connections() -> None:
    """A newcomer takes the place of the connection longest at rest, never of a busy one."""
    conversations = Conversations(at_once=False, most=3)
    fresh, resting, busy = (conversations.open() for _ in range(3))
    busy.send(ask("daemon.version"))
    resting.send(ask("status"))
    fresh.send(ask("status"))
    newcomer = conversations.open()
    dropped = [one.transport.disconnected for one in (busy, resting, fresh, newcomer)]
    assert dropped == [False, True, False, False]


def test_finish() -> None:
    """When the daemon stops, who waits gets its answer; then all are closed."""
    conversations = Conversations(at_once=False)
    waiting, resting = conversations.open(), conversations.open()
    waiting.send(ask("daemon.version", 1) + ask("site.down", 2))
    conversations.factory.finish()
    assert resting.transport.disconnecting
    assert not waiting.transport.disconnecting
    conversations.waiting[0].callback(VERSION)
    waiting.turn()
    assert waiting.ids() == [1]
    assert waiting.transport.disconnecting
    assert len(conversations.asked) == 1


pieces = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from([ask("daemon.version"), notify("site.down"), b"\n", b"{}\n", b'{"'])
    ),
    max_size=12,
)  # fmt: skip


@given(pieces)
def test_random_bytes(sent: list[bytes]) -> None:
    """Whatever comes, each answer is a line of JSON-RPC, and the neighbour is served as ever."""
    conversations = Conversations()
    client, neighbour = conversations.open(), conversations.open()
    for piece in sent:
        client.send(piece, turns=3)
    client.turn(100)
    for answer in client.answers():
        assert answer["jsonrpc"] == "2.0"
        assert ("result" in answer) is not ("error" in answer)
    neighbour.send(ask("daemon.version", "me"))
    assert neighbour.ids() == ["me"]
