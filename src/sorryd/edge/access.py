"""What is written down of each request, for the access log.

A connection begins a `Record` for each request, sets in it what it learns on the way, and
finishes it. Without an access log there are no records.
"""

from __future__ import annotations

import enum
import itertools
import re
import secrets
from collections.abc import Callable, Set
from typing import Final

from sorryd.model import LogFormat
from sorryd.policy.access import Asked, Caller, CombinedLines, Entry, Lines
from sorryd.policy.access_json import JsonLines
from sorryd.policy.heads import RequestHead

_ID: Final = b"x-request-id"
# Applications behind CGI-like interfaces read "_" as "-".
_ID_NAMES: Final = frozenset({_ID, b"x_request-id", b"x-request_id", b"x_request_id"})
_is_id: Final = re.compile(rb"[!#-\[\]-~]{1,128}").fullmatch  # printable, nothing to escape


class End(enum.StrEnum):
    """How a request ended; beside each, HAProxy's termination state."""

    __hash__ = str.__hash__  # as it compares; Enum's own is Python, and hashes the name

    UNKNOWN = "unknown"
    DONE = "done"  # --: the answer went out whole
    SORRY = "sorry"  # PR: the apology, of a window, a command or a file
    REFUSED = "refused"  # PR: a bad request
    NO_MEMBER = "no_member"  # SC: no member could be asked
    QUEUE = "queue"  # sQ, PQ: no member had room in time, or there was no room to wait
    MEMBER_FAILED = "member_failed"  # SH, PH: no good answer came, or none at all
    MEMBER_LATE = "member_late"  # sH, sD: nothing came for as long as the time-outs allow
    MEMBER_CUT = "member_cut"  # SD: the answer stopped, or went wrong, in its middle
    ASSET_CUT = "asset_cut"  # SD: a file of ours became shorter, or unreadable, while it was sent
    VISITOR_LEFT = "visitor_left"  # CR, CH: before anything of the answer was sent
    VISITOR_CUT = "visitor_cut"  # CD: in the middle of the answer
    VISITOR_LATE = "visitor_late"  # cR, cD: the request did not come, or the answer was not taken
    TUNNEL = "tunnel"  # --: an upgraded connection that was closed by either end
    DRAINED = "drained"  # K-: the drain of a window was over
    STOPPED = "stopped"  # K-: sorryd was stopped


DONE: Final = End.DONE  # class attributes of enums are slow to get, and these are for most
SORRY: Final = End.SORRY


class Record(Entry):
    """One request and what became of it. Mutable; made only where there is an access log.

    Without a `head`, `received` is what came instead.
    """

    __slots__ = ("access", "head")

    def __init__(
        self, access: Access, head: RequestHead | None, caller: Caller, wall: float, began: float
    ) -> None:
        super().__init__(caller, wall, began)
        self.access = access
        self.head = head

    def begin_answer(self, status: int, size: int) -> None:
        """Its head goes to the visitor, with `size` bytes of its body."""
        self.status = status
        self.body_bytes = size
        if self.access.is_timed:
            self.first = self.access.moment()

    def say(self, answer: bytes) -> None:
        """All of an `answer` of ours goes to the visitor."""
        access = self.access
        if answer is not access.said:
            access.read(answer)
        self.begin_answer(access.said_status, access.said_size)

    def finish(self, end: End) -> None:
        """Write it down; only the first of several calls counts."""
        if not self.how:
            self.how = end
            access = self.access
            if access.is_timed:
                self.over = access.moment()
            access.write(self)


class Access:
    """The access log, as connections see it.

    `put` takes whole lines. `moment` is the clock of durations; times are written in `zone`.
    `is_timed`: lines tell of durations, and of ids. `said` is the last answer of our own.
    """

    __slots__ = (
        "_counter", "_lines", "_prefix", "_put", "is_timed", "moment", "said", "said_size",
        "said_status",
    )  # fmt: skip

    def __init__(
        self,
        put: Callable[[bytes], None],
        form: LogFormat,
        zone: str,
        moment: Callable[[], float],
    ) -> None:
        self._put = put
        self.moment = moment
        self.is_timed = form is LogFormat.JSON
        self._lines: Lines = JsonLines(zone) if self.is_timed else CombinedLines(zone)
        self.said = b""
        self.said_status = self.said_size = 0
        # Nobody outside can guess one; who has seen one may guess others, which open nothing.
        self._prefix = secrets.token_hex(8)
        self._counter = itertools.count(1)

    def caller(self, known: Caller | None, address: str, secure: bool) -> Caller:
        """Who asks on a connection; that is who is `known` there, if it is the same `address`."""
        if known is not None and known.written is self._lines and known.address == address:
            return known
        return self._lines.caller(address, secure)

    def begin(
        self, head: RequestHead | None, caller: Caller, is_trusted: bool, wall: float
    ) -> Record:
        """A record of the request that `head` begins; None: of what could not be read as one.

        `wall` is the instant at which it was read.
        With JSON it gets an id, and so does the member: X-Request-ID, put into the lines of
        `head`. A visitor's own is replaced, unless its peer `is_trusted` to set one.
        """
        if not self.is_timed:
            return Record(self, head, caller, wall, 0.0)
        record = Record(self, head, caller, wall, self.moment())
        record.id = self._new_id() if head is None else self._identify(head, is_trusted)
        return record

    def read(self, answer: bytes) -> None:
        """What is to be told of an `answer` of ours. An apology is the same one for a second."""
        self.said = answer
        self.said_status = int(answer[9:12])
        self.said_size = len(answer) - answer.index(b"\r\n\r\n") - 4

    def write(self, record: Record) -> None:
        """A record that is finished."""
        head = record.head
        if head is None:
            self._put(self._lines.unread(record))
            return
        asked = self._asked(head)
        self._put(self._lines.line(record, head.method, head.target, head.minor, asked))

    def _asked(self, head: RequestHead) -> Asked:
        known = head.known
        if known is None:
            return self._lines.asked(head.host, head.seen)
        asked = known.asked
        if asked is None or asked.written is not self._lines:
            asked = known.asked = self._lines.asked(head.host, head.seen)
        return asked

    def _new_id(self) -> str:
        return f"{self._prefix}{next(self._counter):08x}"

    def _identify(self, head: RequestHead, is_trusted: bool) -> str:
        """The id of a request, which is in its lines once then."""
        own = [line for line in head.lines if line[0] in b"xX" and _name(line) in _ID_NAMES]
        if is_trusted and len(own) == 1:
            value = own[0].partition(b":")[2].strip(b" \t")
            if _name(own[0]) == _ID and _is_id(value):
                return value.decode("ascii")
        if own:
            _drop(head, frozenset(own))
        name = self._new_id()
        head.lines.append(b"X-Request-ID: " + name.encode("ascii"))
        return name


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].lower()


def _drop(head: RequestHead, unwanted: Set[bytes]) -> None:
    host = head.lines[head.host_at] if head.host_at >= 0 else None
    head.lines = [line for line in head.lines if line not in unwanted]
    head.host_at = -1 if host is None else head.lines.index(host)
