"""Where a stream of WebSocket frames stands; the websockets library is the second opinion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol

from sorryd.edge.frames import DENSE, GOING_AWAY, Frames, close_frame

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 70000])
FRAMES = st.builds(
    Frame,
    st.sampled_from([Opcode.CONT, Opcode.TEXT, Opcode.BINARY]),
    SIZES.map(bytes),
    st.booleans(),
) | st.builds(
    Frame, st.sampled_from([Opcode.PING, Opcode.PONG]), st.integers(0, 125).map(bytes)
)  # fmt: skip


def wire(frame: Frame, is_masked: bool) -> bytes:
    """As permessage-deflate marks it: that is nothing to us."""
    data = bytearray(frame.serialize(mask=is_masked))
    if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
        data[0] |= 0x40
    return bytes(data)


@given(st.lists(FRAMES, max_size=6), st.booleans(), st.data())
def test_boundaries(frames: list[Frame], is_masked: bool, data: st.DataObject) -> None:
    """However a stream is cut, it is known where a frame ends and how much of it is missing."""
    stream = b"".join(wire(frame, is_masked) for frame in frames)
    ends, between, is_whole = [0], {0}, True
    for frame in frames:
        ends.append(ends[-1] + len(wire(frame, is_masked)))
        is_whole = frame.fin if frame.opcode < Opcode.CLOSE else is_whole
        between |= {ends[-1]} if is_whole else set()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)) | {len(stream)})
    found, at = Frames(is_masked), 0
    for cut in cuts:
        found.feed(stream[at:cut])
        at = cut
        assert found.is_between is (at in between)
        ahead = stream[at : data.draw(st.integers(at, len(stream)))]
        end = next((one for one in ends if one > at), at)
        assert found.rest(ahead) == min(end - at, len(ahead))
    assert not found.is_lost
    assert not found.is_closed


@pytest.mark.parametrize("is_masked", [False, True])
def test_bytewise(is_masked: bool) -> None:
    """Byte by byte too, and at every byte it is known how much is missing."""
    for size in (0, 5, 126, 300):
        stream = wire(Frame(Opcode.BINARY, bytes(size)), is_masked)
        found = Frames(is_masked)
        for at in range(len(stream)):
            assert found.rest(stream[at:] + b"more") == len(stream) - at
            found.feed(stream[at : at + 1])
            assert found.is_between is (at == len(stream) - 1)


def test_close_is_seen() -> None:
    """A Close frame is seen when all of it has passed, and nothing may follow it."""
    stream = wire(Frame(Opcode.TEXT, b"a"), False) + wire(Frame(Opcode.CLOSE, b"\x03\xe8ok"), False)
    found = Frames(False)
    found.feed(stream[:-1])
    assert not found.is_closed
    found.feed(stream[-1:])
    assert found.is_closed
    assert found.is_between
    found.feed(b"\x81\x00")
    assert found.is_lost


@pytest.mark.parametrize(
    ("data", "is_masked"),
    [
        pytest.param(b"\x81\x00", True, id="a client's that is not masked"),
        pytest.param(b"\x81\x80abcd", False, id="a server's that is"),
        pytest.param(b"\x83\x00", False, id="an opcode of no meaning"),
        pytest.param(b"\x8b\x00", False, id="another one"),
        pytest.param(b"\x08\x00", False, id="a control frame in parts"),
        pytest.param(b"\x88\x7e\x00\x80", False, id="a control frame that is too long"),
        pytest.param(b"\x81\x00" * (DENSE + 1), False, id="too many at once"),
    ],
)
def test_lost(data: bytes, is_masked: bool) -> None:
    """Of what is not framed so, nothing is known, ever after."""
    found = Frames(is_masked)
    found.feed(data)
    found.feed(b"\x81\x00")
    assert found.is_lost
    assert not found.is_between


@given(st.binary(max_size=200), st.booleans())
def test_anything(data: bytes, is_masked: bool) -> None:
    """No bytes raise."""
    found = Frames(is_masked)
    assert 0 <= found.rest(data) <= len(data)
    found.feed(data)
    assert 0 <= found.rest(data) <= len(data)


@pytest.mark.parametrize("is_masked", [False, True])
def test_close_frame(is_masked: bool) -> None:
    """The library reads what we write, code and reason, on both sides."""
    peer = Protocol(SERVER if is_masked else CLIENT)
    peer.receive_data(close_frame(is_masked, GOING_AWAY, b"maintenance"))
    assert peer.close_rcvd == Close(GOING_AWAY, "maintenance")
