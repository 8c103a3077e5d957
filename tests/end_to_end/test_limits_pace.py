"""How long visitors have whose heads come slowly behind an answer, or who read slowly."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from tests.end_to_end.stage import answers, stage
from tests.end_to_end.waiting import PATIENCE
from tests.end_to_end.wire import Wire, answer, request

MIB = 1 << 20


def test_slow_head_behind_a_large_answer(tmp_path: Path) -> None:
    """That the answer before was taken slowly gives the next head no more time."""
    with stage(tmp_path, timeout_header="1s", timeout_body="1h") as patient:
        patient.part = answers(answer(b"x" * 16 * MIB))
        with patient.visitor() as wire:
            wire.send(request())
            assert len(wire.answer().body) == 16 * MIB
            wire.send(b"GET / HT")
            assert wire.answer().status == 408


def test_a_steady_reader_is_not_late(tmp_path: Path) -> None:
    """The kernel holds some MiB for who reads slowly: it is by what he takes that he is judged."""
    with stage(tmp_path, timeout_body="1s") as patient, socket.socket() as sock:
        patient.part = answers(answer(b"x" * 16 * MIB))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", patient.port))
        wire = Wire(sock)
        wire.send(request())
        for _ in range(40):
            time.sleep(0.1)
            wire.exactly(20000)
