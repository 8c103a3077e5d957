"""Large bodies pass whole, and cost no memory, whichever side is slow.

128 MiB each; 1 GiB with SORRYD_BIG=1 in the environment.
"""

from __future__ import annotations

import functools
import hashlib
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.members import Conversation, Member, server_side
from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import Wire, answer, anybody, request, visitor

MIB: Final = 1 << 20
SIZE: Final = 1024 * MIB if os.environ.get("SORRYD_BIG") else 128 * MIB
GROWTH: Final = 16 * MIB
"""How much memory sorryd may grow by."""

IN_KERNELS: Final = 48 * MIB
"""More than all socket buffers on the way can hold."""

_PIECE: Final = 256 * 1024
_NOISE: Final = memoryview(random.Random(2).randbytes(MIB + _PIECE))


def pieces(size: int) -> Iterator[memoryview]:
    """A body of `size` bytes, no piece like the one before, made as it is asked for."""
    for number, at in enumerate(range(0, size, _PIECE)):
        start = number * 7919 % MIB
        yield _NOISE[start : start + min(_PIECE, size - at)]


@functools.cache
def digest(size: int) -> str:
    """What that body hashes to."""
    hashed = hashlib.sha256()
    for piece in pieces(size):
        hashed.update(piece)
    return hashed.hexdigest()


class Progress:
    """How far a body has been sent; shared between threads."""

    def __init__(self) -> None:
        self.sent = 0

    def wait_until_it_stands(self) -> int:
        """Wait until nothing more is taken; how much was."""
        deadline = time.monotonic() + PATIENCE
        still, since = self.sent, time.monotonic()
        while time.monotonic() < min(deadline, since + 0.4) or not still:
            if self.sent != still:
                still, since = self.sent, time.monotonic()
            time.sleep(0.01)
        return still


def send_body(wire: Wire, size: int, progress: Progress) -> None:
    """Send that body as fast as it is taken."""
    for piece in pieces(size):
        wire.socket.sendall(piece)
        progress.sent += len(piece)


def take_body(wire: Wire, size: int, before_rest: Callable[[], object]) -> str:
    """Take `size` bytes, and after the first 64 KiB call `before_rest`; what they hash to."""
    hashed = hashlib.sha256(wire.buffer)
    taken, wire.buffer = len(wire.buffer), b""
    room = memoryview(bytearray(_PIECE))
    stopped = False
    while taken < size:
        got = wire.socket.recv_into(room, min(_PIECE, size - taken))
        assert got, f"cut after {taken} bytes"
        hashed.update(room[:got])
        taken += got
        if taken >= 65536 and not stopped:
            stopped = True
            before_rest()
    return hashed.hexdigest()


class Streams:
    """A daemon and a member that sends and takes large bodies, on plain sockets or on TLS."""

    def __init__(self, daemon: Daemon, tls: ssl.SSLContext | None) -> None:
        self.daemon = daemon
        self._port = daemon.port(scheme="http" if tls is None else "https")
        self._tls = tls
        self.progress = Progress()
        self.slow_member = False
        self.stood_at = 0  # bytes that had been taken when the slow side looked

    def visitor(self) -> Wire:
        """A new visitor's connection."""
        return visitor(self._port, self._tls)

    def member(self, conversation: Conversation) -> None:
        """The member's part: GET /SIZE sends a body, PUT takes one and says its hash."""
        while (head := conversation.head()) is not None:
            if head.method == b"GET":
                size = int(head.target[1:])
                length = b"Content-Length: %d" % size
                conversation.send(answer(b"", length, length=False))
                send_body(conversation, size, self.progress)
            else:
                size = int(head.one("Content-Length") or 0)
                hashed = take_body(conversation, size, self._look if self.slow_member else int)
                conversation.send(answer(hashed.encode()))

    def _look(self) -> None:
        self.stood_at = self.progress.wait_until_it_stands()

    def download(self, size: int, slow: bool = False) -> str:
        """GET a body; what it hashes to."""
        self.progress, self.stood_at = Progress(), 0
        with self.visitor() as wire:
            wire.send(request(b"/%d" % size))
            assert wire.head() is not None
            return take_body(wire, size, self._look if slow else int)

    def upload(self, size: int, slow: bool = False) -> str:
        """PUT a body; what it hashes to at the member."""
        self.progress, self.stood_at = Progress(), 0
        self.slow_member = slow
        with self.visitor() as wire:
            wire.send(request(b"/", b"Content-Length: %d" % size, method=b"PUT"))
            send_body(wire, size, self.progress)
            return wire.answer().body.decode()

    @contextmanager
    def little_memory(self) -> Iterator[None]:
        """The daemon must not grow by more than GROWTH within the block."""
        self.download(MIB)
        self.upload(MIB)
        before = self.daemon.memory("VmRSS")
        self.daemon.family.forget_peak()
        yield
        assert self.daemon.memory("VmHWM") - before < GROWTH


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("", False), id="uvloop"),
        pytest.param(("", True), id="uvloop-tls"),
        pytest.param(("epoll", False), id="epoll"),
    ],
)
def streams(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Streams]:
    """A daemon with a member behind it, both plain or both TLS."""
    reactor, tls = request.param
    acting: list[Streams] = []
    folder = tmp_path_factory.mktemp("streams")
    context, options, keys = None, "", {}
    if tls:
        root = authority()
        (folder / "ca.pem").write_bytes(root.pem)
        context = server_side(folder, *issue(root, ["127.0.0.1"]))
        options = " ca=ca.pem"
        keys = {"listen": "127.0.0.1:0 tls", "certificate": "self-signed"}
    with (
        Member(lambda conversation: acting[0].member(conversation), tls=context) as member,
        Daemon(folder, configuration([member.url + options], **keys), reactor=reactor) as daemon,
    ):
        acting.append(Streams(daemon, anybody() if tls else None))
        yield acting[0]


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_a_large_answer(streams: Streams, slow: bool) -> None:
    """It arrives whole; while its visitor does not read, its member is not read either."""
    with streams.little_memory():
        assert streams.download(SIZE, slow) == digest(SIZE)
    assert 0 < streams.stood_at < IN_KERNELS if slow else not streams.stood_at


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_a_large_request(streams: Streams, slow: bool) -> None:
    """It arrives whole; while its member does not read, its visitor is not read either."""
    with streams.little_memory():
        assert streams.upload(SIZE, slow) == digest(SIZE)
    assert 0 < streams.stood_at < IN_KERNELS if slow else not streams.stood_at


def test_many_slow_readers(streams: Streams) -> None:
    """Forty visitors that read nothing of their large answers cost little memory each."""
    before = streams.daemon.memory("VmRSS")
    streams.daemon.family.forget_peak()
    wires = [streams.visitor() for _ in range(40)]
    for wire in wires:
        wire.send(request(b"/%d" % SIZE))
    streams.progress.wait_until_it_stands()
    assert streams.daemon.memory("VmHWM") - before < 2 * GROWTH
    for wire in wires:
        wire.reset()


def test_chunks_both_ways(tmp_path: Path) -> None:
    """A long chunked body is passed on while it is sent, and arrives whole, however it was cut."""
    size = SIZE // 8

    def echo(conversation: Conversation) -> None:
        head = conversation.head()
        assert head is not None
        conversation.send(answer(b"", b"Transfer-Encoding: chunked", length=False))
        hashed = hashlib.sha256()
        while length := int(conversation.until(b"\r\n"), 16):
            piece = conversation.exactly(length)
            hashed.update(piece)
            conversation.send(b"%x\r\n%b\r\n" % (length, piece))
            conversation.until(b"\r\n")
        assert hashed.hexdigest() == digest(size)
        conversation.send(b"0\r\n\r\n")

    with (
        Member(echo) as member,
        Daemon(tmp_path, configuration([member.url])) as daemon,
        visitor(daemon.port()) as wire,
    ):
        before = daemon.memory("VmRSS")
        wire.send(request(b"/", b"Transfer-Encoding: chunked", method=b"POST"))
        sending = threading.Thread(target=_send_chunks, args=(wire, size))
        sending.start()
        head = wire.head()
        assert head is not None
        assert hashlib.sha256(wire.body(head)).hexdigest() == digest(size)
        sending.join()
        assert daemon.memory("VmHWM") - before < GROWTH


def _send_chunks(wire: Wire, size: int) -> None:
    for piece in pieces(size):
        third = len(piece) // 3
        for part in (piece[:third], piece[third:]):
            wire.send(b"%x\r\n%b\r\n" % (len(part), bytes(part)))
    wire.send(b"0\r\n\r\n")


def test_a_visitor_who_trickles_is_served(streams: Streams) -> None:
    """A body that comes in small pieces, each in its time, is passed on as it comes."""
    body = b"x" * 300
    with streams.visitor() as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.send(request(b"/", b"Content-Length: 300", method=b"PUT"))
        for at in range(0, 300, 3):
            wire.send(body[at : at + 3])
        assert wire.answer().body.decode() == hashlib.sha256(body).hexdigest()
