"""The log as journald wants it: each line with its priority before it (sd-daemon(3)).

The time, the process and the unit are known there without being said.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

from twisted.logger import FileLogObserver, LogEvent, LogLevel, eventAsText

STDOUT: Final = 1
STDERR: Final = 2

JOURNAL_OBSERVER: Final = f"{__name__}.journal_observer"
"""For twistd's --logger."""

_PRIORITIES: Final[Mapping[LogLevel | None, int]] = {
    LogLevel.debug: 7,
    LogLevel.info: 6,
    LogLevel.warn: 4,
    LogLevel.error: 3,
    LogLevel.critical: 2,
}


def leads_to_journal(environ: Mapping[str, str], fd: int = STDOUT) -> bool:
    """Whether `fd` is a stream to journald: JOURNAL_STREAM says which one is (systemd.exec(5))."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(fd)
        return (found.st_dev, found.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False


def journal_observer() -> FileLogObserver:
    """Writes all that is logged to stdout, for journald."""
    return FileLogObserver(sys.stdout, journal_text)


def journal_text(event: LogEvent) -> str:
    """The lines of an event; empty where it says nothing."""
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    return with_priority(event.get("log_level"), text)


def with_priority(level: LogLevel | None, text: str) -> str:
    """Each line of `text` with the priority of `level` before it; of no level, it is news."""
    prefix = f"<{_PRIORITIES.get(level, 6)}>"
    return "".join(f"{prefix}{line}\n" for line in text.splitlines() if line.strip())
