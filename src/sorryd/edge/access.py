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

import msgspec

from sorryd.edge.heads import RequestHead
from sorryd.model import LogFormat
from sorryd.policy.access import combined, json_line

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


class Record(msgspec.Struct, gc=False, eq=False):
    """One request and what became of it. Mutable; made only where there is an access log.

    `wall` is the instant and `began` the moment at which its head was read, `first` the moment
    of the first byte of its answer, `over` that of the end. `client` is the believed address,
    empty where there is none; `secure` whether our own connection is TLS. Without a `head`,
    `received` is what came instead. `member` is the URL of the last one asked, `retries` how
    many were asked before it. `bypass` says how an operator is known (policy/reception.py), empty
    for all others. `status` 0: no answer was begun. `body_bytes` are those of the
    body that were sent, without their chunks.
    """

    access: Access
    head: RequestHead | None
    client: str
    secure: bool
    wall: float
    began: float
    id: str = ""
    site: str = ""
    phase: str = ""
    member: str | None = None
    retries: int = 0
    status: int = 0
    body_bytes: int = 0
    received: bytes = b""
    first: float | None = None
    over: float = 0.0
    ended: End = End.UNKNOWN
    bypass: str = ""

    def begin_answer(self, status: int, size: int) -> None:
        """Its head goes to the visitor, with `size` bytes of its body."""
        self.status = status
        self.body_bytes = size
        self.first = self.access.moment()

    def finish(self, end: End) -> None:
        """Write it down; only the first of several calls counts."""
        if self.ended is End.UNKNOWN:
            self.ended = end
            self.over = self.access.moment()
            self.access.write(self)


class Access:
    """The access log, as connections see it.

    `put` takes whole lines. `wall` and `moment` are the two clocks; times are written in `zone`.
    """

    __slots__ = ("_counter", "_has_ids", "_line", "_prefix", "_put", "_wall", "_zone", "moment")

    def __init__(
        self,
        put: Callable[[bytes], None],
        form: LogFormat,
        zone: str,
        wall: Callable[[], float],
        moment: Callable[[], float],
    ) -> None:
        self._put = put
        self._zone = zone
        self._wall = wall
        self.moment = moment
        self._has_ids = form is LogFormat.JSON
        self._line = json_line if self._has_ids else combined
        # Nobody outside can guess one; who has seen one may guess others, which open nothing.
        self._prefix = secrets.token_hex(8)
        self._counter = itertools.count(1)

    def begin(
        self, head: RequestHead | None, client: str, secure: bool, is_trusted: bool
    ) -> Record:
        """A record of the request that `head` begins; None: of what could not be read as one.

        With JSON it gets an id, and so does the member: X-Request-ID, put into the lines of
        `head`. A visitor's own is replaced, unless its peer `is_trusted` to set one.
        """
        record = Record(self, head, client, secure, self._wall(), self.moment())
        if self._has_ids:
            record.id = self._new_id() if head is None else self._identify(head, is_trusted)
        return record

    def write(self, record: Record) -> None:
        """A record that is finished."""
        self._put(self._line(record, self._zone))

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
