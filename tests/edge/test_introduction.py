"""The PROXY protocol on a socket: nothing but the header is read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import pairwise

import pytest
from tests.edge.loops import Loop, Peer, tcp_pair
from tests.edge.proxy_headers import BLOCK, LINE, addresses, block

from sorryd.edge.introduction import Introduction
from sorryd.edge.proxy_protocol import LONGEST_BLOCK
from sorryd.edge.wheel import Wheel

TIMEOUT = 10.0


class Arrival:
    """A proxy, and what came of what it said."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.told: list[tuple[str | None, str | None]] = []
        self.wheel = Wheel(loop, loop.seconds)
        self.wheel.start()
        self.ours, theirs = tcp_pair()
        self.proxy = Peer(theirs, loop)
        self.introduction = Introduction(self.ours, loop.readiness, self.wheel, TIMEOUT, self._done)
        self.introduction.start()

    def _done(self, introduction: Introduction, address: str | None, why: str | None) -> None:
        assert introduction is self.introduction
        self.told.append((address, why))

    def comes_to(self) -> tuple[str | None, str | None]:
        """The address, and why it failed."""
        self.loop.until(lambda: self.told)
        (told,) = self.told
        assert len(self.wheel) == 0
        return told

    def left(self) -> bytes:
        """What is still to be read of the socket."""
        return self.ours.recv(65536)

    def end(self) -> None:
        self.wheel.stop()
        self.ours.close()
        self.proxy.sock.close()


@pytest.fixture
def arrival(loop: Loop) -> Iterator[Arrival]:
    arrival = Arrival(loop)
    yield arrival
    arrival.end()


HEADERS = [
    pytest.param(LINE, "192.0.2.9", id="v1"),
    pytest.param(b"PROXY UNKNOWN\r\n", None, id="v1 UNKNOWN"),
    pytest.param(BLOCK, "2001:db8::9", id="v2"),
    pytest.param(block(0x20, 0x00, b""), None, id="v2 LOCAL"),
    pytest.param(
        block(0x21, 0x11, addresses("192.0.2.9", "192.0.2.1", b"x" * 4000)),
        "192.0.2.9",
        id="v2 with much behind it",
    ),
]


@pytest.mark.parametrize(("header", "address"), HEADERS)
def test_whole(arrival: Arrival, header: bytes, address: str | None) -> None:
    """All that follows the header is left in the socket."""
    arrival.proxy.sends(header + b"\x16\x03\x01 and so on")
    assert arrival.comes_to() == (address, None)
    assert arrival.left() == b"\x16\x03\x01 and so on"


@pytest.mark.parametrize(("header", "address"), HEADERS)
def test_in_pieces(arrival: Arrival, header: bytes, address: str | None) -> None:
    """A header that comes in pieces is done with its last byte."""
    cuts = sorted({*range(1, 20), *range(100, len(header), 100), len(header) - 1})
    for start, end in pairwise([0, *(cut for cut in cuts if cut < len(header))]):
        arrival.proxy.sends(header[start:end])
        arrival.loop.rest()
    assert arrival.told == []
    arrival.proxy.sends(header[-1:] + b"more")
    assert arrival.comes_to() == (address, None)
    assert arrival.left() == b"more"


def test_nothing_is_told_twice(arrival: Arrival) -> None:
    """An incomplete header does not keep the loop busy: what came of it is taken."""
    arrival.proxy.sends(LINE[:9])
    arrival.loop.until(lambda: arrival.introduction._header.began)
    with pytest.raises(BlockingIOError):
        arrival.left()
    arrival.introduction.drop()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", "does not begin with", id="no header"),
        pytest.param(block(0x21, 0x11, b"", LONGEST_BLOCK + 1), "too long", id="too long"),
        pytest.param(b"PROXY ?\r\n", "malformed", id="malformed"),
    ],
)
def test_bad(arrival: Arrival, said: bytes, why: str) -> None:
    """What is no header ends the connection."""
    arrival.proxy.sends(said)
    address, told = arrival.comes_to()
    assert address is None
    assert why in (told or "")
    assert arrival.ours.fileno() < 0


@pytest.mark.parametrize(("said", "why"), [(b"", ""), (LINE[:20], "its header is cut short")])
def test_fin(arrival: Arrival, said: bytes, why: str) -> None:
    """Who only looks whether anybody listens is not worth a word."""
    arrival.proxy.sends(said)
    arrival.proxy.sock.shutdown(socket.SHUT_WR)
    assert arrival.comes_to() == (None, why)


def test_reset(arrival: Arrival) -> None:
    """... nor who resets."""
    arrival.proxy.resets()
    assert arrival.comes_to() == (None, "")


def test_late(arrival: Arrival) -> None:
    """It has its time, as a request's head has."""
    arrival.proxy.sends(LINE[:20])
    arrival.loop.rest()
    arrival.loop.advance(TIMEOUT - 0.5)
    assert arrival.told == []
    arrival.loop.advance(1.0)
    assert arrival.comes_to() == (None, "its header did not come in time")


def test_dropped(arrival: Arrival) -> None:
    """Nobody is told of one that sorryd itself does not want any more."""
    arrival.introduction.drop()
    arrival.proxy.sends(LINE)
    arrival.loop.rest()
    assert arrival.told == []
    assert arrival.ours.fileno() < 0
