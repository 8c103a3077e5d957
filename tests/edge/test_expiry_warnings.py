"""What the log says, and how often, of certificates that nobody renews."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.certificates import DAY, issue
from tests.edge.handshakes import NAME, ROOT, showing
from twisted.logger import LogEvent, LogLevel, capturedLogs, formatEvent

from sorryd.edge.certificates import site_certificates
from sorryd.edge.renewal import TOLD_EVERY, Warnings
from sorryd.model import Certificate

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Told:
    """The certificates of one site, with days that are left, and what the log says of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._warnings = Warnings()
        self.shows(5)

    def shows(self, days: float) -> None:
        path = self._folder / f"{days}.pem"
        leaf = issue(ROOT, [NAME], since=NOON - DAY, until=NOON + days * DAY)
        path.write_bytes(b"".join(leaf))
        site = showing(Certificate(chain=str(path)))
        self._shown = {"shop": site_certificates(site, str(self._folder))}

    def at(self, seconds: float) -> list[str]:
        """What is logged at so many seconds after noon."""
        with capturedLogs() as logs:
            self._warnings.look(self._shown, NOON.timestamp() + seconds)
        return [self._text(event) for event in logs]

    def _text(self, event: LogEvent) -> str:
        assert event["log_level"] is LogLevel.warn
        return str(formatEvent(event)).replace(f"{self._folder}/", "")


def test_warnings_are_daily(tmp_path: Path) -> None:
    """A certificate that ends soon is warned of at once, and then once a day."""
    told = Told(tmp_path)
    assert told.at(0) == ["site shop: 5.pem expires in 5 days"]
    assert told.at(10) == told.at(TOLD_EVERY - 1) == []
    assert told.at(TOLD_EVERY) == ["site shop: 5.pem expires in 4 days"]
    assert told.at(TOLD_EVERY + 10) == []


def test_warnings_of_new_certificates(tmp_path: Path) -> None:
    """Another certificate is judged at once; a good one ends the warnings."""
    told = Told(tmp_path)
    told.at(0)
    told.shows(-0.5)
    assert told.at(10) == ["site shop: -0.5.pem has expired"]
    told.shows(90)
    assert told.at(20) == told.at(TOLD_EVERY + 30) == []


def test_warnings_after_the_clock_was_set_back(tmp_path: Path) -> None:
    """A clock that was a year ahead silences nobody for a year."""
    told = Told(tmp_path)
    assert told.at(365 * TOLD_EVERY) == ["site shop: 5.pem expired 360 days ago"]
    assert told.at(0) == ["site shop: 5.pem expires in 5 days"]
    assert told.at(10) == []
