"""How many edge processes the daemons of tests have: what holds with none must hold with some.

    SORRYD_TEST_WORKERS=2 pytest tests/end_to_end

lets all daemons of tests have two, but for those whose configuration says how many. Without it,
they have none, and the tests with `BOTH_KINDS` are run in both ways.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest
from tests.end_to_end.wire import Wire, request, visitor

if TYPE_CHECKING:
    from tests.end_to_end.daemon import Daemon

VARIABLE: Final = "SORRYD_TEST_WORKERS"

ALONE: Final = "workers = 0"
"""For `configuration`, where a test is about numbers that one process keeps to, and that several
keep to only all together."""

BOTH_KINDS: Final = pytest.mark.usefixtures("kind")
"""Run it with all in one process, and with workers; or, where the environment says how many, so."""


def kinds() -> list[str]:
    """How many workers a test with BOTH_KINDS is run with."""
    return [os.environ[VARIABLE]] if VARIABLE in os.environ else ["0", "2"]


def asked_workers() -> list[str]:
    """The line for [sorryd] of a configuration; none where all is to be in one process."""
    count = os.environ.get(VARIABLE, "0")
    return [f"workers = {count}"] if count != "0" else []


def workers_in(ini: str) -> int:
    """How many workers a configuration asks for."""
    asked = re.search(r"^workers = (\d+)", ini, re.MULTILINE)
    return int(asked[1]) if asked else 0


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
def one_at_each(daemon: Daemon, port: int, each: int = 1) -> Iterator[list[Wire]]:
    """A visitor's connection at each worker, or `each`; over all of them something was answered."""
    pids = edge_processes(daemon, port)
    with contextlib.ExitStack() as open_:
        wires = []
        for pid in [pid for pid in pids for _ in range(each)]:
            with only(pid, pids):
                wire = open_.enter_context(visitor(port))
                wire.send(request())
                wire.answer()
            assert wire.socket.getsockname()[1] in daemon.family.at(port).visitors(pid)
            wires.append(wire)
        yield wires
