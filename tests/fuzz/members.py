"""A strict member: it records every byte, reads as h11 does, and answers each request by name."""

from __future__ import annotations

import enum
from hashlib import blake2s
from typing import Final

from tests.edge.wires import FakeWire
from tests.fuzz.case import FaultFound
from tests.fuzz.readers import NoMessage, RequestEar

PART: Final = b"so far;"
LARGE: Final = bytes(80_000)  # more than a transport holds before it says so


class Manner(enum.Enum):
    """How members answer."""

    LENGTH = b"length"
    CHUNKED = b"chunked"
    UNTIL_END = b"until end"
    OLD = b"old"  # HTTP/1.0
    CLOSING = b"closing"
    EARLY = b"early"  # all of it, when only the head has come
    BEGUN = b"begun"  # a part of it then, the rest when all has come
    LARGE = b"large"  # more than a visitor takes at once
    LATE = b"late"  # not until the visitor has nothing more to say
    SWITCH = b"switch"  # other protocols, where they are asked to


class Log:
    """What came to all members, in its order: requests, and the bytes in tunnels."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.is_late = manner is Manner.LATE
        self.heard: list[RequestEar] = []
        self.tunnelled = b""
        self.has_switched = False

    def of(self, ear: RequestEar) -> bytes:
        """What is answered to it: its number, and what its body was."""
        number = self.heard.index(ear)
        return b"%d %s;" % (number, blake2s(ear.body, digest_size=8).hexdigest().encode())


class EchoMember:
    """One connection to a member."""

    def __init__(self, wire: FakeWire, log: Log) -> None:
        self._wire = wire
        self._log = log
        self._ear: RequestEar | None = None
        self._answered = False  # this request
        self._is_tunnel = False

    def attend(self) -> bool:
        """Hear what came, and answer; whether anything did."""
        data = self._wire.gets()
        if self._is_tunnel:
            self._log.tunnelled += data
        elif data:
            self._hears(data)
        elif self._ear is not None and self._ear.whole and not self._log.is_late:
            self._answer(self._ear)
            return True
        return bool(data)

    def _hears(self, data: bytes) -> None:
        ear = self._ear
        if ear is None:
            ear = self._ear = RequestEar()
            self._log.heard.append(ear)
            self._answered = False
        elif ear.whole:
            raise FaultFound(f"to the member: more than was asked for: {data!r}")
        begun = ear.head is not None
        try:
            ear.hears(data)
        except NoMessage as why:
            raise FaultFound(f"to the member: what h11 refuses: {why}: {ear.raw!r}") from None
        if ear.whole and ear.rest:
            raise FaultFound(f"to the member: behind a request: {ear.rest!r}")
        if ear.head is not None and not begun:
            self._begins(ear)
        if ear.whole and not self._log.is_late:
            self._answer(ear)

    def _begins(self, ear: RequestEar) -> None:
        """The head is here."""
        manner = self._log.manner
        assert ear.head is not None
        fields = dict(ear.head.headers)
        if fields.get(b"expect", b"").lower() == b"100-continue" and manner is not Manner.LATE:
            self._wire.says(b"HTTP/1.1 100 Continue\r\n\r\n")
        if manner is Manner.BEGUN and ear.head.method != b"HEAD":
            self._answered = True
            self._wire.says(
                b"HTTP/1.1 200 OK\r\nX-Answer: yes\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"%x\r\n%b\r\n" % (len(PART), PART)
            )
        elif manner is Manner.EARLY and not ear.whole:
            self._answered = True
            self._wire.says(self._whole(ear))

    def _answer(self, ear: RequestEar) -> None:
        manner = self._log.manner
        self._ear = None
        assert ear.head is not None
        upgrade = dict(ear.head.headers).get(b"upgrade")
        if manner is Manner.SWITCH and upgrade is not None:
            self._is_tunnel = self._log.has_switched = True
            chosen = upgrade.partition(b",")[0]
            self._wire.says(
                b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: %b\r\n\r\nhello"
                % chosen
            )
        elif not self._answered:
            self._wire.says(self._whole(ear))
            if manner in (Manner.UNTIL_END, Manner.OLD, Manner.CLOSING):
                self._wire.ends()
        elif manner is Manner.BEGUN:
            body = self._log.of(ear)
            self._wire.says(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    def _whole(self, ear: RequestEar) -> bytes:
        body = self._log.of(ear)
        assert ear.head is not None
        marked = b"X-Answer: %b\r\n" % body
        if self._log.manner is Manner.LARGE:
            body += LARGE
        coded = b"" if ear.head.method == b"HEAD" else body
        match self._log.manner:
            case Manner.CHUNKED:
                chunks = b"%x;a\r\n%b\r\n0\r\nX-T: 1\r\n\r\n" % (len(body), body)
                framing, coded = b"Transfer-Encoding: chunked", coded and chunks
            case Manner.UNTIL_END | Manner.OLD:
                framing = b"X: y"
            case Manner.CLOSING:
                framing = b"Connection: close\r\nContent-Length: %d" % len(body)
            case _:
                framing = b"Content-Length: %d" % len(body)
        version = b"1.0" if self._log.manner is Manner.OLD else b"1.1"
        return b"HTTP/%b 200 OK\r\n%b%b\r\n\r\n%b" % (version, marked, framing, coded)
