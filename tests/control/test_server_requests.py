"""Requests on the control socket: what is answered, to whom and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.conversations import OPERATOR, READER, VERSION, Conversations, ask, notify
from twisted.logger import LogEvent

from sorryd.control.permission import Peer
from sorryd.messages import DaemonVersion, SiteDown
from sorryd.replies import StatusResult
from sorryd.window import Author

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
    assert answer["result"].items() >= {"version": "1", "python": "3", "twisted": "2"}.items()


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
    conversations.waiting[0].callback(
        StatusResult(version="\ud800", pid=1, started="", now="", sites=())
    )
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
