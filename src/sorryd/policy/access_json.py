"""The lines of the access log as JSON: one object each, its members always in the same order.

What is not known is null. Durations are milliseconds. ``received`` is there only where no request
could be read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sorryd.policy.access import Asked, Entry, Lines, asked_by, beginning, is_plain
from sorryd.policy.keeping import keep

_MOST: Final = 1000
"""Words that are kept as text: names of sites, members' URLs, and the few words of our own."""

_NULL: Final = b"null"
_NO_REQUEST: Final = b'"method":null,"target":null,"version":null,"host":null'
_NOBODY: Final = b'"referer":null,"user_agent":null'


class JsonLines(Lines):
    r"""Lines of JSON; bytes that are no UTF-8 are ``\xHH`` in their strings."""

    __slots__ = ("_from", "_second", "_to", "_words", "_zone", "_zoned")

    def __init__(self, zone: str) -> None:
        super().__init__()
        self._zone = zone
        self._from = self._to = math.inf  # instants between which the text of the time holds
        self._second = self._zoned = b""  # what is before the fraction of a second, and behind it
        self._words: dict[str, bytes] = {}

    def _told(self, address: str, secure: bool) -> bytes:
        return b'"client":%b,"tls":%b' % (_text(address.encode()), b"true" if secure else b"false")

    def asked(self, host: bytes, lines: Iterable[bytes]) -> Asked:
        """See Lines."""
        referer, agent = asked_by(lines)
        after = b'"referer":%b,"user_agent":%b' % (_text(referer), _text(agent))
        return Asked(self, b'"host":' + _text(host), after)

    def line(self, entry: Entry, method: bytes, target: bytes, minor: int, asked: Asked) -> bytes:
        """See Lines."""
        request = b'"method":%b,"target":%b,"version":"HTTP/1.%d",%b' % (
            _text(method), _text(target), minor, asked.host,
        )  # fmt: skip
        return self._line(entry, request, asked.after, b"")

    def unread(self, entry: Entry) -> bytes:
        """See Lines."""
        received = b',"received":' + _text(beginning(entry.received) or b"-")
        return self._line(entry, _NO_REQUEST, _NOBODY, received)

    def _line(self, entry: Entry, request: bytes, after: bytes, received: bytes) -> bytes:
        began, first = entry.began, entry.first
        before = b'{"time":%b,"id":"%b","site":%b,"phase":%b,%b,%b' % (
            self._time(entry.wall),
            entry.id.encode("ascii"),
            self._word(entry.site),
            self._word(entry.phase),
            entry.caller.told,
            request,
        )
        answer = b'"status":%b,"bytes":%d,"member":%b,"retries":%d' % (
            b"%d" % entry.status if entry.status else _NULL,
            entry.body_bytes,
            self._word(entry.member) if entry.member else _NULL,
            entry.retries,
        )
        return b'%b,%b,"first_ms":%b,"total_ms":%b,"ended":%b,%b,"bypass":%b%b}\n' % (
            before,
            answer,
            _NULL if first is None else _milliseconds(first - began),
            _milliseconds(entry.over - began),
            self._word(entry.how),
            after,
            self._word(entry.bypass) if entry.bypass else _NULL,
            received,
        )

    def _word(self, word: str) -> bytes:
        """As a string. Of these there are few."""
        text = self._words.get(word)
        if text is None:
            text = _text(word.encode()) if word else b'""'
            keep(self._words, _MOST, word, text)
        return text

    def _time(self, wall: float) -> bytes:
        """``"2026-11-22T02:00:00.125+09:00"``"""
        if not self._from <= wall < self._to:
            second = math.floor(wall)
            self._from, self._to = float(second), float(second + 1)
            text = datetime.fromtimestamp(second, ZoneInfo(self._zone)).isoformat().encode("ascii")
            self._second, self._zoned = b'"%b.' % text[:19], text[19:] + b'"'
        thousandths = b"%d" % (1000 + int((wall - self._from) * 1000.0))
        return self._second + thousandths[1:] + self._zoned


def _text(value: bytes) -> bytes:
    """As a JSON string of printable ASCII; null for nothing."""
    if not value:
        return _NULL
    if is_plain(value):
        return b'"%b"' % value
    # JSON lets more stand as it is; terminals, and readers that know other line ends, do not.
    return json.dumps(value.decode("utf-8", "backslashreplace")).encode("ascii")


def _milliseconds(duration: float) -> bytes:
    """With one digit behind the point."""
    tenths = int(duration * 10000.0 + 0.5)
    return b"%d.%d" % (tenths // 10, tenths % 10)
