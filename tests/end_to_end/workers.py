"""How many edge processes the daemons of tests have: what holds with none must hold with some.

    SORRYD_TEST_WORKERS=2 pytest tests/end_to_end

lets all daemons of tests have two, but for those whose configuration says how many. Tests with
`BOTH_KINDS` are run with none and with two, whatever the environment says.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tests.end_to_end.wire import Wire, request, visitor

if TYPE_CHECKING:
    from tests.end_to_end.daemon import Daemon

VARIABLE: Final = "SORRYD_TEST_WORKERS"


def asked_workers() -> list[str]:
    """The line for [sorryd] of a configuration; none where all is to be in one process."""
    count = os.environ.get(VARIABLE, "0")
    return [f"workers = {count}"] if count != "0" else []


def edge_processes(daemon: Daemon, port: int) -> list[int]:
    """The pids of the workers that accept at a port."""
    family = daemon.family.at(port)
    return sorted(family.listening(family.pids() - {daemon.pid}))


@contextlib.contextmanager
def only(pid: int, of: list[int]) -> Iterator[None]:
    """Of these processes, only one runs meanwhile."""
    others = [one for one in of if one != pid]
    for one in others:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in others:
            os.kill(one, signal.SIGCONT)


@contextlib.contextmanager
def one_at_each(daemon: Daemon, port: int) -> Iterator[list[Wire]]:
    """A visitor's connection at each worker, over which one request was answered."""
    pids = edge_processes(daemon, port)
    with contextlib.ExitStack() as open_:
        wires = []
        for pid in pids:
            with only(pid, pids):
                wire = open_.enter_context(visitor(port))
                wire.send(request())
                wire.answer()
            wires.append(wire)
        held = [daemon.family.at(port).visitors(pid) for pid in pids]
        mine = [wire.socket.getsockname()[1] for wire in wires]
        assert all(one in ports for one, ports in zip(mine, held, strict=True))
        yield wires
