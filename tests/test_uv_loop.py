"""A socket that has failed: who watches it hears all of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")

from sorryd.uv_loop import Loop  # noqa: E402  # where there is no uvloop it can't be imported


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop that closes what it was given to watch."""
    made = Loop()
    yield made
    made.close()


class Watched:
    """One half of a pair of UNIX sockets, and what was read of it until its end."""

    def __init__(self, loop: Loop) -> None:
        self.sock, self.peer = socket.socketpair()
        self.sock.setblocking(False)
        self.loop = loop
        self.told: list[bytes | str] = []

    def read(self) -> None:
        """As a transport does: a piece at a time, and no more after the end."""
        try:
            data = self.sock.recv(4)
        except ConnectionResetError:
            self.told.append("reset")
            data = b""
        else:
            self.told.append(data)
        if not data:
            self.loop.remove_reader(self.sock.fileno())
            self.loop.stop()

    def leave(self, *words: bytes) -> None:
        """Say something, and go, with something unread."""
        self.sock.send(b"never read")
        for word in words:
            self.peer.send(word)
        self.peer.close()


@pytest.mark.parametrize("words", [(), (b"last",), (b"long", b"er w", b"ords")])
def test_last_words(loop: Loop, words: tuple[bytes, ...]) -> None:
    """They are heard, and then that the peer has gone."""
    watched = Watched(loop)
    loop.add_reader(watched.sock.fileno(), watched.read)
    loop.call_soon(watched.leave, *words)
    loop.call_later(10, loop.stop)
    loop.run_forever()
    assert watched.told == [*words, "reset"]
    watched.sock.close()


def test_sending_to_who_has_gone(loop: Loop) -> None:
    """Who wants to send is told when that can be tried, as with any other loop."""
    watched, tried = Watched(loop), []

    def look() -> None:
        watched.told.append(watched.sock.recv(4, socket.MSG_PEEK))

    def write() -> None:
        tried.append(watched.sock.fileno())
        loop.remove_writer(watched.sock.fileno())
        loop.stop()

    loop.add_reader(watched.sock.fileno(), look)
    loop.call_soon(watched.leave, b"last")
    loop.call_later(10, loop.stop)

    def send_once_heard() -> None:
        if b"last" in watched.told:
            loop.add_writer(watched.sock.fileno(), write)
        else:
            loop.call_soon(send_once_heard)

    loop.call_soon(send_once_heard)
    loop.run_forever()
    assert tried
    watched.sock.close()


def test_what_is_removed_is_told_nothing(loop: Loop) -> None:
    """Also where it had failed, and was to be watched anew."""
    watched = Watched(loop)

    def once() -> None:
        watched.told.append(watched.sock.recv(4))
        loop.call_soon(loop.remove_reader, watched.sock.fileno())
        loop.call_later(0.05, loop.stop)

    loop.add_reader(watched.sock.fileno(), once)
    loop.call_soon(watched.leave, b"last")
    loop.run_forever()
    assert watched.told == [b"last"]
    watched.sock.close()
