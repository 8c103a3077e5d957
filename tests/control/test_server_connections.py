"""Connections to the control socket: how they end, and how much they may take."""

from __future__ import annotations

import pytest
from tests.control.conversations import VERSION, Conversations, ask
from twisted.logger import LogEvent

from sorryd.control.lines import MAX_LINE
from sorryd.control.server import STALL
from sorryd.messages import DaemonVersion


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
