"""Frames: messages with their descriptors, as bytes."""

from __future__ import annotations

import pytest

from sorryd.workers.frames import Frames, head_of

BODIES = [(b"", 0), (b"a", 2), (b"bcd" * 100, 0), (b"", 300), (b"e", 0)]


@pytest.mark.parametrize("size", [1, 2, 5, 7, 64, 10_000])
def test_frames_in_pieces(size: int) -> None:
    """However the bytes are cut, the same bodies come out, each with its number of descriptors."""
    data = b"".join(head_of(body, fds) + body for body, fds in BODIES)
    frames = Frames()
    found = [
        whole for at in range(0, len(data), size) for whole in frames.feed(data[at : at + size])
    ]
    assert [(bytes(body), fds) for body, fds in found] == BODIES
