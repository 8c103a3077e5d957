"""Messages and descriptors between two processes, over real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.workers.turning import Turning

from sorryd.model import Value
from sorryd.workers.channel import PIECE, Channel, open_channel
from sorryd.workers.frames import head_of


class Text(Value, frozen=True, tag=True):
    text: str


class Count(Value, frozen=True, tag=True):
    number: int


class Stranger(Value, frozen=True, tag=True):
    """A message that nobody here hears."""


Message = Text | Count


class End:
    """One end of a channel; it writes down what it hears."""

    def __init__(self, turning: Turning, sock: socket.socket) -> None:
        self.heard: list[Message] = []
        self.fds: list[tuple[int, ...]] = []
        self.lost = 0
        self.when_heard: Callable[[], None] | None = None
        self.channel: Channel[Message] = open_channel(
            turning.reactor, sock, "worker 1", Message, self._hear, self._lose
        )

    def _hear(self, message: Message, fds: tuple[int, ...]) -> None:
        assert not self.lost
        self.heard.append(message)
        self.fds.append(fds)
        if self.when_heard is not None:
            self.when_heard()

    def _lose(self) -> None:
        self.lost += 1


class Stage:
    """A channel with both its ends, or with a plain socket as the other end."""

    def __init__(self, turning: Turning) -> None:
        self.turning = turning
        self._ends: list[End] = []
        self.before = open_fds()

    def two(self) -> tuple[End, End]:
        one, other = socket.socketpair()
        return self._end(one), self._end(other)

    def one(self) -> tuple[End, socket.socket]:
        ours, theirs = socket.socketpair()
        return self._end(ours), theirs

    def _end(self, sock: socket.socket) -> End:
        self._ends.append(End(self.turning, sock))
        return self._ends[-1]

    def close(self) -> None:
        for end in self._ends:
            end.channel.abort()
        self.turning.rest()
        assert [end.lost for end in self._ends] == [1] * len(self._ends)
        assert open_fds() == self.before


@pytest.fixture
def stage(turning: Turning) -> Iterator[Stage]:
    """At the end, every channel is lost once, and no descriptor is left open."""
    stage = Stage(turning)
    yield stage
    stage.close()


def open_fds() -> set[int]:
    """The descriptors of this process."""
    return {fd for fd in map(int, os.listdir("/proc/self/fd")) if is_open(fd)}


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def frame(body: bytes, fds: int = 0) -> bytes:
    return head_of(body, fds) + body


def encoded(message: Any) -> bytes:
    return msgspec.msgpack.encode(message)


def test_both_ways(stage: Stage) -> None:
    """What is sent is heard at the other end, in order."""
    one, other = stage.two()
    sent: list[Message] = [Text(text="good"), Count(number=3), Text(text="")]
    for message in sent:
        one.channel.send(message)
        other.channel.send(message)
    stage.turning.until(lambda: len(one.heard) == len(other.heard) == 3)
    assert one.heard == other.heard == sent
    assert one.fds == [()] * 3


def test_descriptors(stage: Stage, tmp_path: Path) -> None:
    """Descriptors come with their message, in order, and are not inherited by a program."""
    one, other = stage.two()
    files = [(tmp_path / str(n)).open("w") for n in range(5)]
    fds = [file.fileno() for file in files]
    one.channel.send(Text(text="x" * 3 * PIECE))
    one.channel.send(Text(text="two"), fds[:2])
    one.channel.send(Text(text="none"))
    one.channel.send(Text(text="three"), fds[2:])
    for file in files:
        file.close()  # the sender has no more need of them
    stage.turning.until(lambda: len(other.fds) == 4)
    assert [len(came) for came in other.fds] == [0, 2, 0, 3]
    flat = [fd for came in other.fds for fd in came]
    assert [os.readlink(f"/proc/self/fd/{fd}") for fd in flat] == [file.name for file in files]
    assert not any(os.get_inheritable(fd) for fd in flat)
    for fd in flat:
        os.close(fd)


def test_many_descriptors(stage: Stage) -> None:
    """More descriptors than the message has bytes."""
    one, other = stage.two()
    with open(os.devnull) as null:
        one.channel.send(Count(number=1), [null.fileno()] * 100)
    stage.turning.until(lambda: other.fds)
    assert len(other.fds[0]) == 100
    for fd in other.fds[0]:
        os.close(fd)


def test_closed_descriptor(stage: Stage) -> None:
    """A descriptor that is not open is refused at once, and the channel goes on."""
    one, other = stage.two()
    with open(os.devnull) as null, pytest.raises(OSError, match="Bad file"):
        one.channel.send(Count(number=1), [null.fileno(), 1 << 20])
    one.channel.send(Count(number=2))
    stage.turning.until(lambda: other.heard)
    assert other.heard == [Count(number=2)]
    assert one.channel.unsent == 0


def test_byte_by_byte(stage: Stage) -> None:
    """A message is heard whole, however slowly it comes."""
    end, peer = stage.one()
    with peer, open(os.devnull) as null:
        data = frame(encoded(Text(text="slow")), 1) + frame(encoded(Count(number=4)))
        for n in range(len(data)):
            if n == 6:  # behind the header
                socket.send_fds(peer, [data[n : n + 1]], [null.fileno()])
            else:
                peer.send(data[n : n + 1])
            stage.turning.reactor.iterate(0)
        stage.turning.until(lambda: len(end.heard) == 2)
        assert end.heard == [Text(text="slow"), Count(number=4)]
        assert [len(fds) for fds in end.fds] == [1, 0]
        os.close(end.fds[0][0])


def test_much_at_once(stage: Stage) -> None:
    """Many megabytes come whole; what the peer has not read yet counts as unsent."""
    one, other = stage.two()
    text = "é" * 10_000_000
    other.channel.transport.pauseProducing()  # type: ignore[union-attr]
    one.channel.send(Text(text=text))
    one.channel.send(Count(number=1))
    stage.turning.rest()
    assert one.channel.unsent > 10_000_000
    other.channel.transport.resumeProducing()  # type: ignore[union-attr]
    stage.turning.until(lambda: len(other.heard) == 2)
    assert other.heard == [Text(text=text), Count(number=1)]
    stage.turning.until(lambda: one.channel.unsent == 0)


def test_close_after_what_was_sent(stage: Stage) -> None:
    """Closing loses nothing that was sent before; later it is over, and sending does nothing."""
    one, other = stage.two()
    text = "x" * 5 * PIECE
    with open(os.devnull) as null:
        one.channel.send(Text(text=text), [null.fileno()])
    one.channel.close()
    one.channel.send(Count(number=1))
    stage.turning.until(lambda: other.lost)
    assert other.heard == [Text(text=text)]
    assert one.lost == 1
    one.channel.send(Count(number=1))
    one.channel.close()
    one.channel.abort()
    os.close(other.fds[0][0])


def test_close_with_nothing_to_send(stage: Stage) -> None:
    """A channel at rest is closed at once."""
    one, other = stage.two()
    one.channel.close()
    stage.turning.until(lambda: one.lost and other.lost)


def test_abort_drops_what_is_unsent(stage: Stage) -> None:
    """Aborting waits for no peer that does not read, also after it was asked to close."""
    end, peer = stage.one()
    with peer, open(os.devnull) as null:
        end.channel.send(Text(text="x" * 50 * PIECE), [null.fileno()])
        end.channel.close()
        stage.turning.rest()
        assert not end.lost
        end.channel.abort()
        stage.turning.until(lambda: end.lost)
        assert end.channel.unsent == 0


def test_nothing_is_heard_once_it_is_over(stage: Stage) -> None:
    """Who closes in the midst of hearing hears no more, and keeps no descriptor."""
    end, peer = stage.one()
    end.when_heard = end.channel.close
    with peer, open(os.devnull) as null:
        data = frame(encoded(Count(number=1))) + frame(encoded(Count(number=2)), 1)
        socket.send_fds(peer, [data], [null.fileno()])
        stage.turning.until(lambda: end.lost)
    assert end.heard == [Count(number=1)]


@pytest.mark.parametrize(
    "data",
    [
        frame(b"\xc1"),
        frame(b""),
        frame(encoded(Stranger())),
        frame(encoded({"type": "Count", "number": "many"})),
        frame(encoded({"type": "Text", "text": 1})),
        frame(encoded(Count(number=1)), 2),
        b"GET / HTTP/1.1\r\n" + bytes(1 << 16),
    ],
)
def test_other_release(stage: Stage, data: bytes) -> None:
    """What can't be understood ends the channel; what came with it is not left open."""
    end, peer = stage.one()
    with peer, open(os.devnull) as null:
        socket.send_fds(peer, [data], [null.fileno()])
        peer.send(frame(encoded(Count(number=1))))
        peer.shutdown(socket.SHUT_WR)
        stage.turning.until(lambda: end.lost)
    assert end.heard == []


def test_peer_is_gone(stage: Stage) -> None:
    """The end of the other process is told, after what it said; half a message is none."""
    end, peer = stage.one()
    peer.send(frame(encoded(Count(number=1))) + frame(encoded(Count(number=2)))[:-1])
    peer.close()
    stage.turning.until(lambda: end.lost)
    assert end.heard == [Count(number=1)]


def test_peer_is_gone_at_the_start(stage: Stage) -> None:
    """A channel to a process that is gone already can be opened, and is lost."""
    one, other = socket.socketpair()
    other.close()
    end = stage._end(one)
    with open(os.devnull) as null:
        end.channel.send(Count(number=1), [null.fileno()])
    stage.turning.until(lambda: end.lost)
