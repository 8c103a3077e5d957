"""Signals: who asks by them, and that each is answered in the reactor's turn."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.errors import ControlError
from sorryd.replies import ReloadResult

log = Logger()

_ASKING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Early:
    """What is asked for by SIGTERM, SIGINT and SIGHUP while nobody can heed it.

    Before the reactor runs a stop would end the process by the signal, and leave the workers that
    it takes over; and this process may be about to become another program, which inherits what
    is blocked and what is pending (execve(2)).
    """

    def __init__(self) -> None:
        self._asked: list[int] = []

    def note(self, number: int, frame: FrameType | None = None) -> None:
        """Keep it for later."""
        self._asked.append(number)

    def note_by_name(self, name: str) -> None:
        """Keep one that somebody heeded who can't any more."""
        self.note(signal.Signals[name])

    def begin(self) -> None:
        """Keep them from now on, also those that were held for us."""
        for number in _ASKING:
            signal.signal(number, self.note)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKING)

    def heed(self) -> None:
        """There is somebody to heed them now."""
        asked, self._asked = self._asked, []
        for number in asked:
            signal.raise_signal(number)

    def hold(self) -> None:
        """Hold them, and SIGUSR1, for the program that this process becomes now."""
        signal.pthread_sigmask(signal.SIG_SETMASK, (*_ASKING, signal.SIGUSR1))
        self.heed()


def answer_stops(reactor: Any, stop: Callable[[str], None]) -> None:
    """SIGTERM and SIGINT ask sorryd to stop, which is no failure: it exits with status 0.

    Twisted's own way is to end by the signal, and to log a traceback for the second one. It sets
    that when the reactor begins to run, so this is for later than that. `stop` gets the
    signal's name.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        _answer(reactor, number, stop)


def answer_reloads(reactor: Any, reload: Callable[[str], Deferred[ReloadResult]]) -> None:
    """SIGHUP asks for a reload, as of other daemons; by itself it would end the process.

    `reload` gets the signal's name; why it is refused is logged.
    """
    _answer(reactor, signal.SIGHUP, _Reloads(reload).ask)


def answer_rotations(reactor: Any, reopen: Callable[[str], None]) -> None:
    """SIGUSR1 says that logs were moved away. twistd rotates its own by it, and still does."""
    before = signal.getsignal(signal.SIGUSR1)
    twistd = before if callable(before) else None
    _answer(reactor, signal.SIGUSR1, reopen, twistd)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGUSR1,))  # see Early.hold


class _Reloads:
    """One reload under way, and one that waits: a third would find nothing that they don't."""

    def __init__(self, reload: Callable[[str], Deferred[ReloadResult]]) -> None:
        self._reload = reload
        self._asked = 0

    def ask(self, name: str) -> None:
        if self._asked < 2:
            self._asked += 1
            self._reload(name).addBoth(self._over, name)

    def _over(self, result: ReloadResult | Failure, name: str) -> None:
        self._asked -= 1
        if not isinstance(result, Failure):
            return
        if isinstance(result.value, ControlError):
            log.error("{name}: {why}", name=name, why=str(result.value))
            for fault in result.value.faults:
                log.error("{fault}", fault=fault)
        else:
            log.failure("a bug in a reload", failure=result)


def _answer(
    reactor: Any,
    number: signal.Signals,
    answer: Callable[[str], None],
    before: Callable[[int, FrameType | None], Any] | None = None,
) -> None:
    def caught(caught_number: int, frame: FrameType | None) -> None:
        if before is not None:
            before(caught_number, frame)
        reactor.callFromThread(answer, number.name)

    signal.signal(number, caught)
