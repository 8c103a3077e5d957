"""Several workers are one daemon: what a command has answered is so at each of them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.control import Control
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.load import utc
from tests.end_to_end.members import Member, saying
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Wire, one, request
from tests.end_to_end.workers import edge_processes, one_at_each

TWO = "workers = 2"
TURNS = 10


class Two:
    """A daemon with two workers and two members, and a visitor at each worker."""

    def __init__(self, daemon: Daemon, control: Control, wires: list[Wire], a: Member) -> None:
        self.daemon = daemon
        self.ask = control.ask
        self.control = control
        self.wires = wires
        self.a = a
        self.pids = edge_processes(daemon, daemon.port())

    def statuses(self) -> list[int]:
        """What the visitors get, both asking at once."""
        for wire in self.wires:
            wire.send(request())
        return [wire.answer().status for wire in self.wires]

    def answering(self) -> set[bytes]:
        """The members that answer some requests of each."""
        return {one(wire) for wire in self.wires for _ in range(4)}


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """See Two."""
    with contextlib.ExitStack() as open_:
        a, b = (open_.enter_context(Member(saying(name))) for name in (b"a", b"b"))
        ini = configuration([a.url, b.url], daemon=TWO)
        daemon = open_.enter_context(Daemon(tmp_path, ini))
        wires = open_.enter_context(one_at_each(daemon, daemon.port()))
        assert len(wires) == 2
        yield Two(daemon, open_.enter_context(daemon.control()), wires, a)


def test_down_and_up(two: Two) -> None:
    """Nobody gets a live page after `down` has returned, nor an apology after `up` has."""
    for _ in range(TURNS):
        two.ask("site.down", {"site": "shop"})
        assert two.statuses() == [503, 503]
        two.ask("site.up", {"site": "shop"})
        assert two.statuses() == [200, 200]


def test_windows(two: Two) -> None:
    """The same of windows that begin now, are ended, extended and cancelled."""
    for turn in range(TURNS):
        name = {"id": f"w{turn}"}
        two.ask("window.schedule", {**name, "from": "now", "for": "1h"})
        assert two.statuses() == [503, 503]
        two.ask("window.end", name)
        assert two.statuses() == [200, 200]
    end = time.time() + 0.3
    two.ask("window.schedule", {"id": "longer", "from": "now", "until": utc(end)})
    two.ask("window.extend", {"id": "longer", "until": utc(end + 3600)})
    begin = time.time() + 0.2
    two.ask("window.schedule", {"id": "never", "from": utc(begin + 3600), "for": "1h"})
    until(lambda: time.time() > end, "the end that is no more")
    assert two.statuses() == [503, 503]
    two.ask("window.end", {"id": "longer"})
    two.ask("window.schedule", {"id": "never", "from": utc(end + 0.3), "for": "1h"})
    two.ask("window.cancel", {"id": "never"})
    until(lambda: time.time() > end + 0.3, "the beginning that is no more")
    assert two.statuses() == [200, 200]


@pytest.mark.parametrize("change", [{"state": "maint"}, {"state": "drain"}, {"weight": 0}])
def test_members(two: Two, change: dict[str, object]) -> None:
    """A member that is taken out gets no new request from any worker."""
    for _ in range(TURNS):
        two.ask("member.set", {"url": two.a.url, **change})
        assert two.answering() == {b"b"}
        two.ask("member.set", {"url": two.a.url, "state": "ready", "weight": 1})
        assert two.answering() == {b"a", b"b"}


def test_a_command_waits_for_the_last_worker(two: Two) -> None:
    """It is answered when a worker that was slow serves by it, and not before."""
    os.kill(two.pids[1], signal.SIGSTOP)
    two.control.send("site.down", {"site": "shop"})
    first = two.wires[0]

    def is_down() -> bool:
        first.send(request())
        return first.answer().status == 503

    until(is_down, "the apology of the other worker")
    assert not select.select([two.control.socket], [], [], 0.3)[0]
    os.kill(two.pids[1], signal.SIGCONT)
    assert two.control.receive()
    assert two.statuses() == [503, 503]


def test_a_command_does_not_wait_for_the_dead(two: Two) -> None:
    """A worker that dies meanwhile holds no command up, and the one that follows it obeys."""
    port = two.daemon.port()
    os.kill(two.pids[1], signal.SIGSTOP)
    two.control.send("site.down", {"site": "shop"})
    os.kill(two.pids[1], signal.SIGKILL)
    assert two.control.receive()
    until(lambda: len(edge_processes(two.daemon, port)) == 2, "another worker")
    with one_at_each(two.daemon, port) as wires:
        two.wires = wires
        assert two.statuses() == [503, 503]
