"""One apology as bytes that are ready: a body, and a head in which only the time is open.

An apology is made once per change, never per request: the digits of Retry-After and the Date
are set in later. Nothing that people wrote is in its head. No cache keeps it: it says so, and
has nothing to revalidate it by.
"""

from __future__ import annotations

import gzip
import math
import re
from typing import Final

from msgspec.structs import replace

from sorryd.model import Value
from sorryd.policy.built_in import phrase
from sorryd.policy.dates import imf_fixdate
from sorryd.policy.facts import Facts
from sorryd.policy.fields import TOKEN

HTML: Final = "text/html; charset=utf-8"
VARIES_BY: Final = "Accept, Accept-Language, Accept-Encoding"
FOUND: Final = 302

_LEVEL: Final = 6  # 9 makes pages no smaller, and takes five times as long for 1 MB
_is_media_type: Final = re.compile(TOKEN.decode("ascii") + r"/[ !-~]+").fullmatch


class Representation(Value, frozen=True, kw_only=True):
    """A body, and what it is. `language` None is not known.

    With a `location`, an absolute URL, it goes with a redirection to there.
    """

    media_type: str
    body: bytes
    language: str | None = None
    is_gzipped: bool = False
    location: str | None = None


class Apology(Value, frozen=True, kw_only=True):
    """A response whose Retry-After and Date are still open.

    `before` ends with ``Retry-After: ``; `after` begins with the CRLF that ends that line, and
    ends with the CRLF of the last field that is known. `until` is the instant at which the
    visitor may come back; `retry_after` the seconds said where it is None or past.
    """

    before: bytes
    after: bytes
    body: bytes
    until: float | None
    retry_after: int

    def wait(self, now: float) -> int:
        """Seconds that Retry-After says at the instant `now` (RFC 9110 §10.2.3)."""
        if self.until is None or self.until <= now:
            return self.retry_after
        return max(1, math.ceil(self.until - now))

    def head(
        self, now: float, close: bool = False, keep_alive: bool = False, more: bytes = b""
    ) -> bytes:
        """The head with its blank line; `now` is an instant, `more` are field lines.

        `close` says that the connection ends, `keep_alive` that one of HTTP/1.0 lives
        (RFC 9112 §9.3).
        """
        after = self.after + more
        end = last_lines(now, close, keep_alive)
        return b"%s%d%s%s" % (self.before, self.wait(now), after, end)

    def response(
        self,
        now: float,
        head_only: bool = False,
        close: bool = False,
        keep_alive: bool = False,
        more: bytes = b"",
    ) -> bytes:
        """The whole response, or for HEAD its head alone; `more` are field lines."""
        head = self.head(now, close, keep_alive, more)
        return head if head_only else head + self.body


class ReadyApology:
    """An apology with its bytes at hand: worked out once a second, given at every request."""

    __slots__ = ("_from", "_ready", "_to", "apology")

    def __init__(self, apology: Apology) -> None:
        self.apology = apology
        self._from = self._to = math.inf
        self._ready: tuple[bytes, ...] = ()

    def response(
        self, now: float, head_only: bool = False, close: bool = False, keep_alive: bool = False
    ) -> bytes:
        """What `Apology.response` gives, exactly."""
        if keep_alive and not close:
            return self.apology.response(now, head_only, keep_alive=True)
        if not self._from <= now < self._to:
            self._refresh(now)
        return self._ready[2 * head_only + close]

    def _refresh(self, now: float) -> None:
        apology = self.apology
        self._from = float(math.floor(now))
        self._to = self._from + 1.0
        if apology.until is not None:
            # Retry-After may change within a second, where the end is not a whole one.
            if now < apology.until:
                change = apology.until - math.ceil(apology.until - now)
                self._from = max(self._from, change)
                self._to = min(self._to, change + 1.0)
            else:
                self._from = max(self._from, apology.until)
        self._ready = tuple(
            apology.response(now, head_only, close)
            for head_only in (False, True)
            for close in (False, True)
        )


def last_lines(now: float, close: bool, keep_alive: bool) -> bytes:
    """What ends a head: Date, Connection where it must be said, and the empty line."""
    connection = b""
    if close:
        connection = b"Connection: close\r\n"
    elif keep_alive:
        connection = b"Connection: keep-alive\r\n"
    return b"Date: %s\r\n%s\r\n" % (imf_fixdate(now).encode("ascii"), connection)


def gzipped(plain: Representation) -> Representation:
    """The same, compressed; as it is where that would not make it smaller."""
    body = gzip.compress(plain.body, _LEVEL, mtime=0)
    return plain if len(body) >= len(plain.body) else replace(plain, body=body, is_gzipped=True)


def dress(facts: Facts, dressed: Representation) -> Apology:
    """A response around a body: of the status of the facts, or 302 where it sends elsewhere."""
    location = dressed.location
    status = facts.status if location is None else FOUND
    lines = [
        f"Content-Type: {_media_type(dressed.media_type)}",
        *([] if dressed.language is None else [f"Content-Language: {dressed.language}"]),
        *(["Content-Encoding: gzip"] if dressed.is_gzipped else []),
        f"Content-Length: {len(dressed.body)}",
        *([] if location is None else [f"Location: {location}"]),
        "Cache-Control: no-store",
        f"Vary: {VARIES_BY}",
        f"Sorry-Cause: {facts.cause.value}",
    ]
    return Apology(
        before=f"HTTP/1.1 {status} {phrase(status)}\r\nRetry-After: ".encode("ascii"),
        after="".join(f"\r\n{line}" for line in lines).encode("ascii") + b"\r\n",
        body=dressed.body,
        until=facts.promised,
        retry_after=facts.wait,
    )


def _media_type(given: str) -> str:
    """What somebody else said of a page, if it can be said again."""
    return given if _is_media_type(given) else HTML
