"""The lines of the access log: combined, as Apache writes it, and JSON.

Nothing that a visitor sends can forge a line or reach into another field, nor does it reach a
terminal as it came: all lines are printable ASCII with one line end.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

import msgspec

from sorryd.model import Value
from sorryd.policy.dates import MONTHS

GONE: Final = 499
"""The status in combined lines where no answer was begun: nginx's, since readers of such lines
want a number there."""

_RECEIVED: Final = 256  # bytes that are shown of what could not be read
_OWS: Final = b" \t"
_plain: Final = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'"\\')
_not_plain: Final = re.compile(rb"[^ !#-\[\]-~]")
_first_line: Final = re.compile(rb"[^\r\n]{0,%d}" % _RECEIVED).match


class Request(Protocol):
    """What is asked here of a request's head."""

    @property
    def method(self) -> bytes: ...
    @property
    def target(self) -> bytes: ...
    @property
    def minor(self) -> int: ...
    @property
    def lines(self) -> Sequence[bytes]: ...
    @property
    def host(self) -> bytes: ...


class Entry(Protocol):
    """One request and what became of it: see edge/access.py, which says what all of this is."""

    @property
    def head(self) -> Request | None: ...
    @property
    def received(self) -> bytes: ...
    @property
    def client(self) -> str: ...
    @property
    def secure(self) -> bool: ...
    @property
    def wall(self) -> float: ...
    @property
    def began(self) -> float: ...
    @property
    def id(self) -> str: ...
    @property
    def site(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def member(self) -> str | None: ...
    @property
    def retries(self) -> int: ...
    @property
    def status(self) -> int: ...
    @property
    def body_bytes(self) -> int: ...
    @property
    def first(self) -> float | None: ...
    @property
    def over(self) -> float: ...
    @property
    def ended(self) -> str: ...
    @property
    def bypass(self) -> str: ...


# --- combined -------------------------------------------------------------------------------


def combined(entry: Entry, zone: str) -> bytes:
    """``%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`` of Apache's mod_log_config.

    The time is that at which the request began, in `zone`. The user is ``bypass-`` and how an
    operator is known; nobody else has one.
    """
    head = entry.head
    if head is None:
        request, referer, agent = _received(entry.received), b"-", b"-"
    else:
        request = b"%b %b HTTP/1.%d" % (head.method, head.target, head.minor)
        referer, agent = _asked_by(head.lines)
        if (request + referer + agent).translate(None, _plain):
            request, referer, agent = escaped(request), escaped(referer), escaped(agent)
    return b'%b - %b %b "%b" %d %b "%b" "%b"\n' % (
        entry.client.encode("ascii", "replace") or b"-",
        b"bypass-" + entry.bypass.encode("ascii") if entry.bypass else b"-",
        _apache_time(math.floor(entry.wall), zone),
        request,
        entry.status or GONE,
        b"%d" % entry.body_bytes if entry.body_bytes else b"-",
        referer or b"-",
        agent or b"-",
    )


def escaped(value: bytes) -> bytes:
    r"""Control bytes, quotes, backslashes and non-ASCII as ``\xHH``, ``\"`` and ``\\``."""
    return _not_plain.sub(_escape, value)


def _escape(found: re.Match[bytes]) -> bytes:
    byte = found[0]
    return b"\\" + byte if byte in (b'"', b"\\") else b"\\x%02x" % ord(byte)


def _received(data: bytes) -> bytes:
    """The first line of what could not be read as a request, as far as it is shown."""
    line = _first_line(data)
    return escaped(line[0] if line else b"") or b"-"


def _asked_by(lines: Iterable[bytes]) -> tuple[bytes, bytes]:
    """Referer and User-Agent; empty where they are not sent."""
    referer = agent = b""
    for line in lines:
        if line[0] in b"uUrR":
            if line[:11].lower() == b"user-agent:":
                agent = line[11:].strip(_OWS)
            elif line[:8].lower() == b"referer:":
                referer = line[8:].strip(_OWS)
    return referer, agent


@functools.lru_cache(maxsize=16)
def _apache_time(second: int, zone: str) -> bytes:
    """``[22/Nov/2026:02:00:00 +0900]``"""
    at = datetime.fromtimestamp(second, ZoneInfo(zone))
    month = MONTHS[at.month - 1][:3]
    return f"[{at.day:02}/{month}/{at.year:04}:{at:%H:%M:%S %z}]".encode("ascii")


# --- JSON -----------------------------------------------------------------------------------


class _Line(Value, frozen=True):
    """One line, in this order; durations in milliseconds."""

    time: str
    id: str
    site: str
    phase: str
    client: str | None
    tls: bool
    method: str | None
    target: str | None
    version: str | None
    host: str | None
    status: int | None
    bytes: int
    member: str | None
    retries: int
    first_ms: float | None
    total_ms: float
    ended: str
    referer: str | None
    user_agent: str | None
    bypass: str | None
    received: str | msgspec.UnsetType = msgspec.UNSET


_encode: Final = msgspec.json.Encoder().encode


def json_line(entry: Entry, zone: str) -> bytes:
    r"""One JSON object; bytes that are no UTF-8 are ``\xHH`` in its strings.

    What is not known is null. ``received`` is there only where no request could be read.
    """
    head = entry.head
    referer, agent = _asked_by(head.lines) if head else (b"", b"")
    line = _encode(
        _Line(
            time=_rfc3339(entry.wall, zone),
            id=entry.id,
            site=entry.site,
            phase=entry.phase,
            client=entry.client or None,
            tls=entry.secure,
            method=_text(head.method) if head else None,
            target=_text(head.target) if head else None,
            version=f"HTTP/1.{head.minor}" if head else None,
            host=_text(head.host) if head else None,
            status=entry.status or None,
            bytes=entry.body_bytes,
            member=entry.member,
            retries=entry.retries,
            first_ms=None if entry.first is None else _milliseconds(entry.first - entry.began),
            total_ms=_milliseconds(entry.over - entry.began),
            ended=entry.ended,
            referer=_text(referer),
            user_agent=_text(agent),
            bypass=entry.bypass or None,
            received=msgspec.UNSET if head else _received(entry.received).decode("ascii"),
        )
    )
    if not (line.isascii() and b"\x7f" not in line):
        # JSON lets them stand; terminals, and readers that know other line ends, do not.
        line = json.dumps(json.loads(line), separators=(",", ":")).encode()
    return line + b"\n"


def _text(value: bytes) -> str | None:
    return value.decode("utf-8", "backslashreplace") if value else None


def _milliseconds(duration: float) -> float:
    return round(duration * 1000, 1)


def _rfc3339(instant: float, zone: str) -> str:
    """``2026-11-22T02:00:00.125+09:00``"""
    second = math.floor(instant)
    local, offset = _local(second, zone)
    return f"{local}.{math.floor((instant - second) * 1000):03}{offset}"


@functools.lru_cache(maxsize=16)
def _local(second: int, zone: str) -> tuple[str, str]:
    """What is before the fraction of a second, and what is behind it."""
    text = datetime.fromtimestamp(second, ZoneInfo(zone)).isoformat()
    return text[:19], text[19:]
