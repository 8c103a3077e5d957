"""What sorryd answers by itself, but for the apology: heads, and short bodies."""

from __future__ import annotations

from http import HTTPStatus

from sorryd.model import Value
from sorryd.policy.dates import imf_fixdate


class Answer(Value, frozen=True):
    """A status, field lines, and what follows them: `length` bytes of the file from `start`,
    or for one that is not served the short `body`."""

    status: HTTPStatus
    lines: bytes
    start: int = 0
    length: int = 0
    body: bytes = b""

    def head(self, now: float, connection: bytes) -> bytes:
        """The whole head at the instant `now`; `connection` is b"" or a line."""
        status, date = self.status, imf_fixdate(now)
        first = f"HTTP/1.1 {status.value} {status.phrase}\r\nDate: {date}\r\n"
        return b"%b%b%b\r\n" % (first.encode("ascii"), self.lines, connection)


def refused(status: HTTPStatus, why: str, head_only: bool, more: bytes = b"") -> Answer:
    """A short plain answer; `why` is a sentence of ours, `more` are lines."""
    body = f"{status.value} {status.phrase}: {why}\n".encode("ascii")
    lines = b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n" % len(body)
    lines += b"Cache-Control: no-store\r\n" + more
    return Answer(status=status, lines=lines, body=b"" if head_only else body)
