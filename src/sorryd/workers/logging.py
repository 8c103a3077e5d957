"""What a worker has to say, on its way to the daemon's log."""

from __future__ import annotations

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

from sorryd.workers.orders import Said

LONGEST: Final = 65536
"""Characters of a line that are passed on."""


@implementer(ILogObserver)
class Lines:
    """Hands lines to `say`, or once nobody is there to hear them, to standard error."""

    def __init__(self) -> None:
        self.say: Callable[[Said], None] | None = None

    def begin(self) -> None:
        """All that is logged in this process comes here."""
        globalLogBeginner.beginLoggingTo([self], redirectStandardIO=False, discardBuffer=True)

    def __call__(self, event: LogEvent) -> None:
        level = event.get("log_level", LogLevel.info)
        text = eventAsText(event, includeTimestamp=False, includeSystem=False)[:LONGEST]
        if self.say is not None:
            self.say(Said(level=level.name, text=text))
        elif sys.stderr is not None:
            print(f"sorryd worker: {text}", file=sys.stderr, flush=True)
