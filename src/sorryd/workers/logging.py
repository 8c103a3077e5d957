"""What a worker has to say, on its way to the daemon's log."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Final

from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    eventAsText,
    globalLogBeginner,
)
from zope.interface import implementer

from sorryd.journal_log import with_priority
from sorryd.workers.orders import Said

LONGEST: Final = 65536
"""Characters of a line that are passed on."""

BACKLOG: Final = 4 << 20
"""Bytes that may wait for the control process to read them; lines that come on top are dropped."""


def no_backlog() -> int:
    """Nothing waits."""
    return 0


@implementer(ILogObserver)
class Lines:
    """Hands lines to `say`, or once nobody is there to hear them, to standard error.

    `unsent` tells how many bytes wait for the hearer. `is_journal`: standard error is journald's.
    An event without a text is none.
    """

    def __init__(self, is_journal: bool = False) -> None:
        self._is_journal = is_journal
        self.say: Callable[[Said], None] | None = None
        self.unsent: Callable[[], int] = no_backlog
        self._dropped = 0

    def begin(self) -> None:
        """All that is logged in this process comes here."""
        globalLogBeginner.beginLoggingTo([self], redirectStandardIO=False, discardBuffer=True)

    def __call__(self, event: LogEvent) -> None:
        level = event.get("log_level", LogLevel.info)
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)[:LONGEST]
        if not text.strip():
            return
        if self.say is not None:
            self._pass_on(Said(level.name, event.get("log_namespace") or "", text))
        elif sys.stderr is not None:
            line = f"sorryd worker: {text}\n"
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(with_priority(level, line) if self._is_journal else line)
                sys.stderr.flush()

    def _pass_on(self, said: Said) -> None:
        assert self.say is not None
        if self.unsent() > BACKLOG:
            self._dropped += 1
            return
        dropped, self._dropped = self._dropped, 0
        if dropped:
            text = f"lines of the log that the control process did not take in time: {dropped}"
            self.say(Said(LogLevel.warn.name, __name__, text))
        self.say(said)
