"""What chunks cost: steps and bytes are counted, since clocks say little on a busy machine."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from types import FrameType
from typing import SupportsIndex

import pytest

from sorryd.edge import bodies
from sorryd.edge.bodies import ChunkedReader, in_chunks

LIMIT = 32768


class Counted(bytes):
    """Bytes that count how many of them are copied, and in how many slices."""

    copied = 0
    slices = 0

    def __getitem__(self, at: SupportsIndex | slice) -> Counted:  # type: ignore[override]
        assert isinstance(at, slice)
        return self._counted(super().__getitem__(at))

    def __radd__(self, before: bytes) -> Counted:
        return self._counted(bytes(before) + bytes(self))

    def __add__(self, other: object) -> Counted:
        assert isinstance(other, bytes)
        return self._counted(bytes(self) + bytes(other))

    @staticmethod
    def _counted(data: bytes) -> Counted:
        Counted.copied += len(data)
        Counted.slices += 1
        return Counted(data)


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of bodies.py are run by `work`."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> object:
        nonlocal count
        if frame.f_code.co_filename != bodies.__file__:
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """`data` in pieces of `size` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))


CHUNKS = [
    pytest.param(b"1\r\nx\r\n", id="of a byte"),
    pytest.param(b"000000000000001\r\nx\r\n", id="with zeros"),
    pytest.param(b"1;a\r\nx\r\n", id="with extensions"),
    pytest.param(b"10\r\n0123456789abcdef\r\n", id="of sixteen"),
]


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("size", [1, 7, 4096, 65536])
def test_steps(chunk: bytes, size: int) -> None:
    """A chunk costs a handful of steps, however many there are and however they come."""

    def work(count: int) -> int:
        reader = ChunkedReader(400, LIMIT)
        fed = list(pieces(chunk * count, size))
        return lines_run(lambda: [reader.feed(piece) for piece in fed])

    few, many = work(100), work(1000)
    assert many <= few * 11
    assert many <= 1000 * len(chunk) * (4 + 30 / size)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("size", [7, 4096, 65536])
def test_copies(chunk: bytes, size: int) -> None:
    """No byte of a body is copied more than a few times."""
    reader = ChunkedReader(400, LIMIT)
    data = chunk * 5000
    Counted.copied = Counted.slices = 0
    for piece in pieces(data, size):
        reader.feed(Counted(piece))
    assert Counted.slices > 0
    assert Counted.copied <= 4 * len(data)


@pytest.mark.parametrize("size", [100, 65536])
def test_memory(size: int) -> None:
    """A mebibyte in chunks of a byte holds no more memory than the piece that was just read."""
    reader = ChunkedReader(400, LIMIT)
    piece = b"1\r\nx\r\n" * (size // 6)
    length = 0
    tracemalloc.start()
    try:
        while length < 1 << 20:
            length += len(in_chunks(reader.feed(piece), False))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * size + 10_000


def test_chunks_come_out_as_one() -> None:
    """However many chunks a piece held, what is passed on of it is one."""
    reader = ChunkedReader(400, LIMIT)
    assert in_chunks(reader.feed(b"1\r\nx\r\n" * 1000), False) == b"3e8\r\n" + b"x" * 1000 + b"\r\n"
