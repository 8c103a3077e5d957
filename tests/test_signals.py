"""What signals set going."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from sorryd.errors import conflict
from sorryd.replies import ReloadResult
from sorryd.signals import Early, answer_reloads, answer_rotations, answer_stops

DONE = ReloadResult(added=(), changed=(), removed=(), settings=())
SIGNALS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT)


class Turn:
    """A reactor that keeps calls for its next turn."""

    def __init__(self) -> None:
        self.calls: list[tuple[Callable[..., object], tuple[object, ...]]] = []

    def callFromThread(self, call: Callable[..., object], *args: object) -> None:
        self.calls.append((call, args))

    def take(self) -> None:
        calls, self.calls = self.calls, []
        for call, args in calls:
            call(*args)


class Reloads:
    """Reloads that end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.waiting: list[Deferred[ReloadResult]] = []

    def reload(self, name: str) -> Deferred[ReloadResult]:
        self.asked.append(name)
        self.waiting.append(Deferred())
        return self.waiting[-1]


@pytest.fixture
def turn() -> Iterator[Turn]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield Turn()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    for number, handler in before.items():
        signal.signal(number, handler)


def send(turn: Turn, *numbers: signal.Signals) -> None:
    """Send ourselves signals, and let the reactor take its turn."""
    for number in numbers:
        os.kill(os.getpid(), number)
    turn.take()


def test_no_more_than_one_reload_waits(turn: Turn) -> None:
    """Any number of SIGHUP is one reload under way and one more, which finds what they meant."""
    reloads = Reloads()
    answer_reloads(turn, reloads.reload)
    for _ in range(5):
        send(turn, signal.SIGHUP)
    assert reloads.asked == ["SIGHUP", "SIGHUP"]
    reloads.waiting[0].callback(DONE)
    send(turn, signal.SIGHUP)
    assert len(reloads.asked) == 3


def test_a_refused_reload_is_logged(turn: Turn) -> None:
    """With each fault in a line of its own; the next one is heard as before."""
    reloads = Reloads()
    answer_reloads(turn, reloads.reload)
    send(turn, signal.SIGHUP)
    refused = conflict("sorryd.ini is refused")
    refused.faults = ("sorryd.ini:1: {colour}", "sorryd.ini:2: shape")
    with capturedLogs() as events:
        reloads.waiting[0].errback(refused)
    assert [formatEvent(event) for event in events] == [
        "SIGHUP: sorryd.ini is refused",
        "sorryd.ini:1: {colour}",
        "sorryd.ini:2: shape",
    ]
    send(turn, signal.SIGHUP)
    assert len(reloads.asked) == 2


def test_a_bug_is_logged_as_one(turn: Turn) -> None:
    """What is no refusal is told with its traceback."""
    reloads = Reloads()
    answer_reloads(turn, reloads.reload)
    send(turn, signal.SIGHUP)
    with capturedLogs() as events:
        reloads.waiting[0].errback(RuntimeError("a bug"))
    assert [event["log_failure"].getErrorMessage() for event in events] == ["a bug"]


@pytest.mark.parametrize("taken", [True, False], ids=["taken by twistd", "free"])
def test_rotations_are_shared(turn: Turn, taken: bool) -> None:
    """Who had SIGUSR1 before still gets it; nobody is made up where nobody had it."""
    asked: list[object] = []
    signal.signal(signal.SIGUSR1, lambda *_: asked.append("twistd") if taken else None)
    if not taken:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    answer_rotations(turn, asked.append)
    send(turn, signal.SIGUSR1)
    assert asked == (["twistd"] if taken else []) + ["SIGUSR1"]


def test_stops(turn: Turn) -> None:
    """SIGTERM and SIGINT are told by name, and do nothing by themselves."""
    asked: list[str] = []
    answer_stops(turn, asked.append)
    send(turn, signal.SIGTERM, signal.SIGINT)
    assert sorted(asked) == ["SIGINT", "SIGTERM"]


def test_what_comes_early_is_heeded_later(turn: Turn) -> None:
    """Before there is somebody to heed them, signals are kept; then each is heeded once."""
    early = Early()
    early.begin()
    send(turn, signal.SIGTERM, signal.SIGHUP)
    asked: list[str] = []
    reloads = Reloads()
    answer_stops(turn, asked.append)
    answer_reloads(turn, reloads.reload)
    for _ in range(2):
        early.heed()
        turn.take()
    assert (asked, reloads.asked) == (["SIGTERM"], ["SIGHUP"])


def test_what_comes_late_is_held_for_the_next_program(turn: Turn) -> None:
    """What was kept, and what comes after that, waits for who is there then."""
    early = Early()
    early.begin()
    early.note(signal.SIGTERM)
    early.hold()
    signal.raise_signal(signal.SIGHUP)  # to this thread: those of pytest hold nothing
    assert {signal.SIGTERM, signal.SIGHUP} <= signal.sigpending()
    following = Early()
    following.begin()
    asked: list[str] = []
    answer_stops(turn, asked.append)
    answer_reloads(turn, Reloads().reload)
    following.heed()
    turn.take()
    assert asked == ["SIGTERM"]
    assert not signal.sigpending()
