"""What a worker logs gets to who is there to hear it."""

from __future__ import annotations

import io
import sys

import pytest
from twisted.logger import Logger, LogLevel

from sorryd.access_log import LoggedLog
from sorryd.workers.logging import BACKLOG, LONGEST, Lines
from sorryd.workers.orders import Said
from sorryd.workers.seat import REQUESTS


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log(lines: Lines) -> Logger:
    """A log whose only hearer they are."""
    return Logger(namespace="sorryd.edge.site", observer=lines)


def heard(lines: Lines) -> list[Said]:
    """A list that gets what is said."""
    said: list[Said] = []
    lines.say = said.append
    return said


def test_said(lines: Lines, log: Logger) -> None:
    """A line bears its level and whose it is, and is cut where it has no end."""
    said = heard(lines)
    log.warn("{what} is full", what="shop")
    log.info("{text}", text="x" * 2 * LONGEST)
    assert said[0] == Said("warn", "sorryd.edge.site", "shop is full")
    assert len(said[1].text) == LONGEST


def test_traceback(lines: Lines, log: Logger) -> None:
    """A bug is said with its whole trace."""
    said = heard(lines)
    try:
        raise ValueError("oh")
    except ValueError:
        log.failure("a bug")
    assert said[0].level == LogLevel.critical.name
    assert said[0].text.startswith("a bug\nTraceback (most recent call last):\n")
    assert "builtins.ValueError: oh" in said[0].text


def test_hearer_that_does_not_keep_up(lines: Lines, log: Logger) -> None:
    """Lines do not pile up where nobody reads them; later it is said how many were dropped."""
    said = heard(lines)
    lines.unsent = lambda: BACKLOG + 1
    for _ in range(3):
        log.info("one more")
    assert said == []
    lines.unsent = lambda: BACKLOG
    log.info("at last")
    log.info("and on")
    assert [one.text for one in said] == [
        "lines of the log that the control process did not take in time: 3",
        "at last",
        "and on",
    ]


def test_nobody_there(lines: Lines, log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Once the control process is gone, lines go to standard error."""
    log.info("hello")
    assert capsys.readouterr().err == "sorryd worker: hello\n"


def test_silence(lines: Lines, log: Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """What has no text, as what is said of UDP ports that need not be told of, is no line."""
    log.info("")
    said = heard(lines)
    log.info("")
    assert (said, capsys.readouterr().err) == ([], "")


def test_journal(capsys: pytest.CaptureFixture[str]) -> None:
    """Where standard error is journald's, each line has its priority also then."""
    Logger(observer=Lines(is_journal=True)).warn("one\ntwo")
    assert capsys.readouterr().err == "<4>sorryd worker: one\n<4>two\n"


class Broken(io.StringIO):
    """A stream that takes nothing."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("stream", [None, Broken()], ids=["none", "broken"])
def test_nowhere_to_go(
    lines: Lines, log: Logger, monkeypatch: pytest.MonkeyPatch, stream: object
) -> None:
    """Without a standard error, or with a broken one, it goes on in silence."""
    monkeypatch.setattr(sys, "stderr", stream)
    lines({"log_level": LogLevel.info, "log_format": "hello"})
    monkeypatch.undo()
    log.info("still there")


def test_whose_lines_requests_are(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control process knows the lines of the access log by where they come from."""
    said = heard(lines)
    monkeypatch.setattr("sorryd.access_log.log.observer", lines)
    LoggedLog().write(b"192.0.2.1 - -\n")
    assert said == [Said("info", REQUESTS, "192.0.2.1 - -")]
