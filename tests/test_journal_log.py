"""Lines for journald, and when they are written so."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from sorryd.journal_log import journal_text, leads_to_journal


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (LogLevel.debug, 7),
        (LogLevel.info, 6),
        (LogLevel.warn, 4),
        (LogLevel.error, 3),
        (LogLevel.critical, 2),
        (None, 6),
    ],
)
def test_priorities(level: object, priority: int) -> None:
    """A line has the priority of syslog(3), and no time."""
    event = {"log_format": "site {site} is up", "site": "shop", "log_time": 0.0}
    if level is not None:
        event["log_level"] = level
    assert journal_text(event) == f"<{priority}>site shop is up\n"


def test_each_line_has_it() -> None:
    """What a visitor said can't look like a line of its own; a traceback is one event's."""
    event = {"log_level": LogLevel.warn, "log_format": "{what}", "what": "a\n<0>b\n\n"}
    assert journal_text(event) == "<4>a\n<4><0>b\n"
    try:
        raise ValueError("no")
    except ValueError:
        event = {"log_level": LogLevel.critical, "log_format": "a bug", "log_failure": Failure()}
    lines = journal_text(event).splitlines()
    assert (lines[0], lines[-1]) == ("<2>a bug", "<2>builtins.ValueError: no")
    assert all(line.startswith("<2>") for line in lines)


def test_nothing_is_nothing() -> None:
    """An event without a text is no line."""
    assert journal_text({"log_level": LogLevel.info}) == ""


@pytest.mark.parametrize("said", ["", "1:2", "x", "1", ":"])
def test_another_stream(tmp_path: Path, said: str) -> None:
    """Only the stream that JOURNAL_STREAM tells of is journald's."""
    with (tmp_path / "out").open("w") as out:
        assert not leads_to_journal({"JOURNAL_STREAM": said} if said else {}, out.fileno())
        status = os.fstat(out.fileno())
        ours = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert leads_to_journal(ours, out.fileno())
    assert not leads_to_journal({"JOURNAL_STREAM": "1:2"}, sys.maxsize // 2**33)
