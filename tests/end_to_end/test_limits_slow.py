"""Visitors of a real sorryd who take their time, many at once: each has so much of it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.end_to_end.stage import Stage, answers, stage
from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import Wire, answer, request

MIB: Final = 1 << 20
CROWD: Final = 300
SECOND: Final = 1.0  # of all time-outs here


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A daemon that waits for a second, whatever it is that it waits for."""
    times = dict.fromkeys(("timeout_header", "timeout_idle", "timeout_body"), "1s")
    with stage(tmp_path_factory.mktemp("slow"), **times) as acting:
        yield acting


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


def test_slow_head_behind_a_large_answer(patient: Stage) -> None:
    """That the answer before was taken slowly gives the next head no more time."""
    patient.part = answers(answer(b"x" * 16 * MIB))
    with patient.visitor() as wire:
        for _ in range(2):
            wire.send(request())
            assert len(wire.answer().body) == 16 * MIB
        began = time.monotonic()
        wire.send(b"GET / HT")
        assert wire.answer().status == 408
        assert time.monotonic() - began < 1.9 * SECOND
