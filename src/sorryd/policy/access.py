"""The lines of the access log: what both kinds share, and combined, as Apache writes it.

Nothing that a visitor sends can forge a line or reach into another field, nor does it reach a
terminal as it came: all lines are printable ASCII with one line end.

Most of a line is the same for all requests of a second, of a visitor, or with the same field
lines. Such text is made once and kept where that is known: in `Lines`, `Caller` and `Asked`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sorryd.policy.dates import MONTHS
from sorryd.policy.keeping import keep

GONE: Final = 499
"""The status in combined lines where no answer was begun: nginx's, since readers of such lines
want a number there."""

MOST_CALLERS: Final = 1024
"""Visitors whose text is kept, for plain connections and for TLS each."""

_RECEIVED: Final = 256  # bytes that are shown of what could not be read
_OWS: Final = b" \t"
_PLAIN: Final = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
# Of a text that needs no escapes, and of no other, this makes the same: faster than any search.
_SAME: Final = bytes(byte if byte in _PLAIN else 0x20 for byte in range(256))
_not_plain: Final = re.compile(rb"[^ !#-\[\]-~]")
_first_line: Final = re.compile(rb"[^\r\n]{0,%d}" % _RECEIVED).match


class Asked:
    """What a request's field lines say, as it is `written`: see `Lines.asked`."""

    __slots__ = ("after", "host", "written")

    def __init__(self, written: Lines, host: bytes, after: bytes) -> None:
        self.written = written
        self.host = host
        self.after = after


class Caller:
    """Who asks: see `Lines.caller`.

    `address` is believed, empty where there is none; `told` is what is `written` of it.
    """

    __slots__ = ("address", "told", "written")

    def __init__(self, written: Lines, address: str, told: bytes) -> None:
        self.written = written
        self.address = address
        self.told = told


class Entry:
    """One request and what became of it. Mutable.

    `wall` is the instant and `began` the moment at which its head was read, `first` the moment
    of the first byte of its answer, `over` that of the end. Without a request, `received` is what
    came instead. `member` is the URL of the last one asked, `retries` how many were asked before
    it. `bypass` says how an operator is known (policy/reception.py), empty for all others.
    `status` 0: no answer was begun. `body_bytes` are those of the body that were sent, without
    their chunks. `how` is a word of edge/access.py.
    """

    __slots__ = (
        "began", "body_bytes", "bypass", "caller", "first", "how", "id", "member", "over", "phase",
        "received", "retries", "site", "status", "wall",
    )  # fmt: skip

    def __init__(self, caller: Caller, wall: float, began: float) -> None:
        self.caller = caller
        self.wall = wall
        self.began = began
        self.id = ""
        self.site = ""
        self.phase = ""
        self.member: str | None = None
        self.retries = 0
        self.status = 0
        self.body_bytes = 0
        self.received = b""
        self.first: float | None = None
        self.over = began
        self.how = ""
        self.bypass = ""


class Lines:
    """Makes the lines of one kind, with times in one zone. Mutable: it keeps the last second."""

    __slots__ = ("_callers", "_secure_callers")

    def __init__(self) -> None:
        self._callers: dict[str, Caller] = {}
        self._secure_callers: dict[str, Caller] = {}

    def caller(self, address: str, secure: bool) -> Caller:
        """For the requests from an address; `secure`: our own connection is TLS."""
        callers = self._secure_callers if secure else self._callers
        caller = callers.get(address)
        if caller is None:
            caller = Caller(self, address, self._told(address, secure))
            keep(callers, MOST_CALLERS, address, caller)
        return caller

    def _told(self, address: str, secure: bool) -> bytes:
        """What is written of an address."""
        raise NotImplementedError

    def asked(self, host: bytes, lines: Iterable[bytes]) -> Asked:
        """For the requests with these field lines; `host` is the one that was asked for."""
        raise NotImplementedError

    def line(self, entry: Entry, method: bytes, target: bytes, minor: int, asked: Asked) -> bytes:
        """Of a request of HTTP/1.`minor`."""
        raise NotImplementedError

    def unread(self, entry: Entry) -> bytes:
        """Of what could not be read as a request."""
        raise NotImplementedError


class CombinedLines(Lines):
    """``%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`` of Apache's mod_log_config.

    The time is that at which the request began. The user is ``bypass-`` and how an operator is
    known; nobody else has one.
    """

    __slots__ = (
        "_from", "_method", "_minor", "_outcome", "_size", "_status", "_time", "_to", "_verb",
        "_zone",
    )  # fmt: skip

    def __init__(self, zone: str) -> None:
        super().__init__()
        self._zone = zone
        self._from = self._to = math.inf  # instants between which the text of the time holds
        self._time = b""
        # Of the last request and answer, and what is written of them.
        self._method, self._verb = b"", b" "
        self._minor, self._status, self._size = 1, 0, -1
        self._outcome = b""

    def _told(self, address: str, secure: bool) -> bytes:
        return _host(address) + b" - - "

    def asked(self, host: bytes, lines: Iterable[bytes]) -> Asked:
        """See Lines."""
        referer, agent = asked_by(lines)
        after = b'"%b" "%b"\n' % (escaped(referer) or b"-", escaped(agent) or b"-")
        return Asked(self, b"", after)

    def line(self, entry: Entry, method: bytes, target: bytes, minor: int, asked: Asked) -> bytes:
        """See Lines."""
        if method != self._method:
            self._method, self._verb = method, escaped(method) + b" "
        status, size = entry.status, entry.body_bytes
        if status != self._status or size != self._size or minor != self._minor:
            self._minor, self._status, self._size = minor, status, size
            self._outcome = b" HTTP/1.%d%b" % (minor, _outcome(status, size))
        before, time = self._before(entry), self._time
        return b"%b%b%b%b%b%b" % (
            before, time, self._verb, escaped(target), self._outcome, asked.after,
        )  # fmt: skip

    def unread(self, entry: Entry) -> bytes:
        """See Lines."""
        before = self._before(entry)
        request, outcome = beginning(entry.received), _outcome(entry.status, entry.body_bytes)
        return b'%b%b%b%b"-" "-"\n' % (before, self._time, request or b"-", outcome)

    def _before(self, entry: Entry) -> bytes:
        """What is before the time, which is set to that of `entry`."""
        if not self._from <= entry.wall < self._to:
            self._turn(entry.wall)
        if not entry.bypass:
            return entry.caller.told
        return b"%b - bypass-%b " % (_host(entry.caller.address), entry.bypass.encode("ascii"))

    def _turn(self, wall: float) -> None:
        """Another second: ``[22/Nov/2026:02:00:00 +0900] "``"""
        second = math.floor(wall)
        self._from, self._to = float(second), float(second + 1)
        at = datetime.fromtimestamp(second, ZoneInfo(self._zone))
        month = MONTHS[at.month - 1][:3]
        self._time = f'[{at.day:02}/{month}/{at.year:04}:{at:%H:%M:%S %z}] "'.encode("ascii")


def escaped(value: bytes) -> bytes:
    r"""Control bytes, quotes, backslashes and non-ASCII as ``\xHH``, ``\"`` and ``\\``."""
    return value if is_plain(value) else _not_plain.sub(_escape, value)


def is_plain(value: bytes) -> bool:
    """Whether it is printable ASCII without quotes and backslashes."""
    return value.translate(_SAME) == value


def beginning(received: bytes) -> bytes:
    """The first line of what could not be read as a request, as far as it is shown; escaped."""
    line = _first_line(received)
    return escaped(line[0] if line else b"")


def asked_by(lines: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Referer and User-Agent; empty where they are not sent."""
    referer = agent = b""
    for line in lines:
        if line[0] in b"uUrR":
            if line[:11].lower() == b"user-agent:":
                agent = line[11:].strip(_OWS)
            elif line[:8].lower() == b"referer:":
                referer = line[8:].strip(_OWS)
    return referer, agent


def _outcome(status: int, size: int) -> bytes:
    """What is behind the request: ``" 200 1024 ``"""
    return b'" %d %b ' % (status or GONE, b"%d" % size if size else b"-")


def _host(address: str) -> bytes:
    return address.encode("ascii", "replace") or b"-"


def _escape(found: re.Match[bytes]) -> bytes:
    byte = found[0]
    return b"\\" + byte if byte in (b'"', b"\\") else b"\\x%02x" % ord(byte)
