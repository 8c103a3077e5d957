"""A hook that is a program: what its output and its end come to, without a process."""

from __future__ import annotations

import os
from typing import Any

import pytest
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from sorryd import hook_program
from sorryd.hook_program import GRACE, LIMIT, LINES, WIDTH, Program


class Process:
    """A process transport that keeps what it is asked for."""

    pid = None

    def __init__(self) -> None:
        self.deeds: list[object] = []

    def write(self, data: bytes) -> None:
        self.deeds.append(data)

    def closeStdin(self) -> None:
        self.deeds.append("end of stdin")

    def loseConnection(self) -> None:
        self.deeds.append("closed")


class Run:
    """One run, of which the test says what happens."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.verdicts: list[str | None] = []
        self.process = Process()
        self.program = Program(self.clock, b"{}\n", self.said.append)
        self.program.done.addCallback(self.verdicts.append)
        self.program.makeConnection(self.process)

    def end(self, why: Exception) -> None:
        self.program.processExited(Failure(why))
        self.program.processEnded(Failure(why))
        self.clock.advance(1)


@pytest.mark.parametrize(
    ("why", "verdict"),
    [
        (ProcessDone(0), None),
        (ProcessTerminated(exitCode=3), "exit status 3"),
        (ProcessTerminated(exitCode=127), "can't be run"),
        (ProcessTerminated(signal=11), "was killed by SIGSEGV"),
        (ProcessTerminated(signal=40), "was killed by signal 40"),
    ],
    ids=repr,
)
def test_verdict(why: Exception, verdict: str | None) -> None:
    """How it ended says whether it has taken the event; nothing is left of it then."""
    run = Run()
    assert run.process.deeds == [b"{}\n", "end of stdin"]
    run.end(why)
    assert run.verdicts == [verdict]
    assert run.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"o", b"n", b"e", b"\n\n\n", b"without an end"], ["one", "without an end"]),
        ([b"caf\xc3\xa9 \xff\x1b[31m\r\n"], ["café \ufffd?[31m"]),
        ([b"x" * 3 * WIDTH + b"\nshort\n"], ["x" * WIDTH, "short"]),
        ([b"x" * 400, b"y" * 400, b"\n"], ["x" * 400 + "y" * 100]),
        ([b"n\n" * 70000] * 3, ["n"] * LINES + ["(more output is not logged)"]),
        ([b"\n" * 70000, b"never heard\n"], ["(more output is not logged)"]),
    ],
)
def test_output(pieces: list[bytes], said: list[str]) -> None:
    """Output is said by lines, printable, and so much of it."""
    run = Run()
    for piece in pieces:
        run.program.childDataReceived(1, piece)
    run.end(ProcessDone(0))
    assert run.said == said


def test_both_streams() -> None:
    """Lines of stdout and stderr do not run into each other."""
    run = Run()
    for stream, data in ((1, b"out"), (2, b"err"), (1, b"put\n"), (2, b"or\n")):
        run.program.childDataReceived(stream, data)
    assert run.said == ["output", "error"]


def test_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time it gets SIGTERM, then SIGKILL; what it ends with does not count."""
    signals: list[str] = []
    monkeypatch.setattr(Program, "_signal", lambda _, number: signals.append(number.name))
    run = Run()
    run.clock.pump([LIMIT / 100] * 99)
    assert signals == []
    run.clock.advance(LIMIT / 100)
    assert signals == ["SIGTERM"]
    run.clock.pump([GRACE / 10] * 10)
    assert signals == ["SIGTERM", "SIGKILL"]
    run.end(ProcessTerminated(signal=9))
    assert run.verdicts == [f"did not end within {LIMIT:g} s"]
    run.program.terminate()
    assert signals == ["SIGTERM", "SIGKILL"]


def test_who_may_not_be_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has become another user's is waited for until it ends."""

    def refuse(group: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    run = Run()
    monkeypatch.setattr(run.process, "pid", 12)
    run.clock.advance(LIMIT)
    run.clock.advance(GRACE)
    run.end(ProcessDone(0))
    assert run.verdicts == ["did not end within 30 s"]


def test_output_that_somebody_else_holds() -> None:
    """When it has ended, its output is listened to for a moment, and closed."""
    run = Run()
    run.program.processExited(Failure(ProcessDone(0)))
    run.program.childDataReceived(1, b"last words\n")
    run.clock.pump([0.1] * 11)
    assert run.process.deeds[-1] == "closed"
    run.program.processEnded(Failure(ProcessDone(0)))
    assert (run.verdicts, run.said) == ([None], ["last words"])


def test_no_process_to_be_had() -> None:
    """Where the system has no process left, that is why."""

    class Reactor(Clock):
        def spawnProcess(self, *args: Any, **named: Any) -> None:
            raise BlockingIOError(11, "Resource temporarily unavailable")

    verdicts: list[str | None] = []
    program = hook_program.run(Reactor(), "/bin/true", b"", {}, lambda line: None)
    program.done.addCallback(verdicts.append)
    assert verdicts == ["can't be started: Resource temporarily unavailable"]
