"""Visitors of a real sorryd who take their time, many at once: each has so much of it."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from tests.end_to_end.stage import Stage, answers, stage
from tests.end_to_end.waiting import PATIENCE, until
from tests.end_to_end.wire import CutShort, Wire, answer, request

MIB: Final = 1 << 20
CROWD: Final = 300
SECOND: Final = 1.0  # of all time-outs here


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A daemon that waits for a second, whatever it is that it waits for."""
    folder = tmp_path_factory.mktemp("slow")
    with stage(folder, timeout_header="1s", timeout_idle="1s", timeout_body="1s") as acting:
        yield acting


@pytest.fixture
def patient(waiting: Stage) -> Stage:
    """It, with a member that says hello unless it is told otherwise."""
    waiting.clear()
    return waiting


def drip(wires: list[Wire], piece: Callable[[int], bytes]) -> None:
    """Send piece after piece on each of `wires`, until all of them are answered or ended.

    It would go on for ever where a piece puts the end off.
    """
    began, turn, waiting = time.monotonic(), 0, set(wires)
    by_socket = {wire.socket: wire for wire in wires}
    while waiting:
        assert time.monotonic() < began + PATIENCE, f"{len(waiting)} of them still wait"
        for wire in waiting:
            wire.send(piece(turn))
        turn += 1
        said, _, _ = select.select([wire.socket for wire in waiting], [], [], 0.1)
        waiting -= {by_socket[sock] for sock in said}
    assert time.monotonic() - began > SECOND / 2  # the first of them had its time


def test_slow_heads(patient: Stage) -> None:
    """Heads that come byte by byte have their time from the first byte; others are served."""
    wires = [patient.visitor() for _ in range(CROWD)]
    head = request(b"/" + b"a" * 1000)
    assert patient.ask().status == 200
    drip(wires, lambda turn: head[turn : turn + 1])
    for wire in wires:
        assert wire.answer().status == 408
        wire.close()
    assert patient.ask().status == 200


def test_slow_bodies(patient: Stage) -> None:
    """A body has `timeout_body` from piece to piece: who sends on is served, who stops is not."""
    sized = request(b"/", b"Content-Length: 15", method=b"POST")
    chunked = request(b"/", b"Transfer-Encoding: chunked", method=b"POST")
    stopped = [patient.visitor() for _ in range(CROWD)]
    for wire in stopped[::2]:
        wire.send(sized + b"x")
    for wire in stopped[1::2]:
        wire.send(chunked + b"1\r\nx")
    with patient.visitor() as steady:
        steady.send(sized)
        for _ in range(15):
            time.sleep(SECOND / 5)
            steady.send(b"x")
        assert steady.answer().body == b"hello"
    for wire in stopped:
        assert wire.answer().status == 408
        wire.close()


def test_silent_visitors(patient: Stage) -> None:
    """Who says nothing, at first or after an answer, is closed without a word, and forgotten."""
    patient.ask()
    before = patient.daemon.descriptors()
    wires = [patient.visitor() for _ in range(CROWD)]
    for wire in wires[::2]:
        wire.send(request())
        assert wire.answer().body == b"hello"
    for wire in wires:
        assert wire.until_end() == b""
        wire.close()
    until(lambda: patient.daemon.descriptors() <= before, "descriptors to be closed")


def test_slow_readers(patient: Stage) -> None:
    """They cost little memory each, and are cut when they have taken nothing for a while."""
    daemon, size = patient.daemon, 8 * MIB
    patient.part = answers(answer(b"x" * size))
    with patient.visitor() as wire:
        wire.send(request())
        assert len(wire.answer().body) == size
    before = daemon.memory()
    daemon.family.forget_peak()
    wires = [patient.visitor() for _ in range(CROWD // 10)]
    for wire in wires:
        wire.send(request())
        wire.exactly(20)
    until(lambda: not active(patient), "all of them to be cut")
    for wire in wires:
        with pytest.raises((CutShort, ConnectionResetError)):
            wire.exactly(size)
        wire.close()
    assert daemon.memory("VmHWM") - before < len(wires) * MIB / 2


def active(stage: Stage) -> int:
    """Requests in flight at the member, as the daemon counts them."""
    return int(stage.daemon.ask("status")["sites"][0]["members"][0]["active"])
