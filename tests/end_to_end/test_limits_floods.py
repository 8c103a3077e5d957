"""Visitors of a real sorryd who ask too much at once: its memory stays what it was."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.daemon import Daemon, configuration, section
from tests.end_to_end.members import Member, saying
from tests.end_to_end.stage import Stage, answers, stage
from tests.end_to_end.wire import Wire, answer, request, visitor

MIB: Final = 1 << 20
LARGEST: Final = 32768  # max_header_bytes, as it is by default


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("floods"), timeout_body="3s") as acting:
        yield acting


@pytest.fixture
def shop(playing: Stage) -> Stage:
    """A daemon with a member that says hello unless it is told otherwise."""
    playing.clear()
    return playing


@contextlib.contextmanager
def little_memory(daemon: Daemon, most: int) -> Iterator[None]:
    """The daemon must not grow by more than `most` bytes within the block."""
    before = daemon.memory()
    daemon.family.forget_peak()
    yield
    grown = daemon.memory("VmHWM") - before
    assert grown < most, f"grown by {grown} bytes"


def fill(wire: Wire, data: bytes) -> int:
    """Send `data` as long as somebody takes it; how much of it was taken."""
    wire.socket.settimeout(0.3)
    taken = 0
    with contextlib.suppress(TimeoutError, ConnectionError):
        while taken < len(data):
            taken += wire.socket.send(data[taken : taken + 65536])
    return taken


# --- pipelines ----------------------------------------------------------------------------


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_pipelined_requests_whose_answers_nobody_reads(shop: Stage, down: bool) -> None:
    """What they ask for is made only as far as it is taken; then nothing is read."""
    shop.part = answers(answer(b"x" * 65536))
    assert shop.ask().status == 200
    if down:
        shop.daemon.ctl("down")
    try:
        wires = [shop.visitor() for _ in range(4)]
        flood = request() * (16 * MIB // len(request()))
        with little_memory(shop.daemon, len(wires) * MIB):
            taken = [fill(wire, flood) for wire in wires]
        assert max(taken) < len(flood)
        assert len(shop.member.requests) < len(wires) * 200
        for wire in wires:
            wire.reset()
    finally:
        shop.daemon.ctl("up")
    assert shop.ask().status == 200


def test_a_pipeline_is_served_to_its_end(shop: Stage) -> None:
    """A MiB of requests sent at once, their answers read afterwards: each gets its own."""
    shop.part = answers(answer(b"hello"))
    one = request(b"/" + b"a" * 400)
    count = MIB // len(one)
    with shop.visitor() as wire:
        wire.send(one * count)
        for _ in range(count):
            assert wire.answer().body == b"hello"
    assert len(shop.member.requests) == count


# --- heads --------------------------------------------------------------------------------


def of_size(size: int, target: bytes = b"/") -> bytes:
    """A request with a head of exactly so many bytes."""
    return request(target, b"X: " + b"x" * (size - len(request(target, b"X: "))))


@pytest.mark.parametrize("before", [0, 1, 50], ids=lambda before: f"behind {before}")
@pytest.mark.parametrize(
    ("last", "status"),
    [
        pytest.param(of_size(LARGEST), 200, id="the largest"),
        pytest.param(of_size(LARGEST + 1), 431, id="one byte more"),
        pytest.param(request(b"/" + b"a" * LARGEST), 414, id="a long target"),
        pytest.param(request(b"/", b"Cookie: " + b"a=b; " * LARGEST), 431, id="cookies"),
        pytest.param(request(b"/", *[b"a:"] * LARGEST), 431, id="lines"),
    ],
)
def test_large_heads(shop: Stage, before: int, last: bytes, status: int) -> None:
    """The limit is of each request, wherever in a pipeline; those before it are answered."""
    with shop.visitor() as wire:
        wire.send(request() * before + last)
        assert [wire.answer().status for _ in range(before + 1)] == [200] * before + [status]


def test_heads_that_never_end(shop: Stage) -> None:
    """They are refused as soon as they are too large, and what follows is not kept."""
    assert shop.ask().status == 200
    with little_memory(shop.daemon, 4 * MIB):
        for _ in range(8):
            with shop.visitor() as wire:
                wire.send(b"GET / HTTP/1.1\r\n")
                fill(wire, b"a: b\r\n" * (4 * MIB // 6))
                assert wire.answer().status == 431


# --- bodies -------------------------------------------------------------------------------


def test_chunks_of_one_byte(shop: Stage) -> None:
    """A body in chunks of one byte is passed on in larger ones, and never gathered."""
    shop.ask()
    with little_memory(shop.daemon, 8 * MIB), shop.visitor() as wire:
        wire.send(request(b"/", b"Transfer-Encoding: chunked", method=b"POST"))
        for _ in range(3):
            wire.send(b"1\r\nx\r\n" * MIB)
        wire.send(b"0\r\n\r\n")
        assert wire.answer().status == 200
    assert shop.member.requests[-1].body == b"x" * 3 * MIB


# --- hosts --------------------------------------------------------------------------------


def test_many_hosts(tmp_path: Path) -> None:
    """A hundred thousand hosts, each another, are found and forgotten."""
    with (
        socket.socket() as free,
        Member(saying(b"shop")) as shop,
        Member(saying(b"any")) as rest,
    ):
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        ini = configuration([rest.url], listen=listen, site="rest", balance="hash")
        ini += section("shop", [shop.url], listen=listen, hosts="shop.example, *.shop.example")
        with Daemon(tmp_path, ini) as daemon, visitor(daemon.port()) as wire:
            daemon.ctl("down")
            ask_hosts(wire, range(3000))
            with little_memory(daemon, 4 * MIB):
                ask_hosts(wire, range(3000, 100_000))
            daemon.ctl("up")
            wire.send(request(b"/").replace(b"shop.example", b"a.Shop.example"))
            assert wire.answer().body == b"shop"
            wire.send(request(b"/").replace(b"shop.example", b"a.example"))
            assert wire.answer().body == b"any"


def ask_hosts(wire: Wire, numbers: range) -> None:
    """Ask for so many hosts of both sites, a hundred at once."""
    for first in range(numbers.start, numbers.stop, 100):
        wire.send(b"".join(map(request_of_host, range(first, first + 100))))
        heads = b""
        while heads.count(b"\r\n\r\n") < 100:
            assert wire.more()
            heads, wire.buffer = heads + wire.buffer, b""
        assert heads.count(b"HTTP/1.1 503 ") == 100


def request_of_host(number: int) -> bytes:
    """HEAD for a host that nobody else has."""
    site = b"example" if number % 2 else b"shop.example"
    return b"HEAD / HTTP/1.1\r\nHost: host-%d.%b\r\n\r\n" % (number, site)
