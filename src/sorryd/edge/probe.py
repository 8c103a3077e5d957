"""One check of one member: a connection, a question, and the verdict on what comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from sorryd.edge.addresses import authority
from sorryd.edge.bad_message import BadMessage
from sorryd.edge.http1 import check_answer_beginning, head_end, read_response
from sorryd.edge.interfaces import Wire
from sorryd.edge.member_connection import MAX_INFORMATIONAL
from sorryd.edge.member_interfaces import Connector, NewConnection
from sorryd.model import Check, CheckKind, Member
from sorryd.policy.heads import ResponseHead

READ_AWAY: Final = 65536
"""Bytes of an answer's body that are read, so that its member does not see a reset."""

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


def question(check: Check, member: Member) -> bytes:
    """The request that `check` sends to `member`; empty where to be connected is enough."""
    if check.kind is CheckKind.TCP:
        return b""
    target = check.target if check.target == "*" else member.path + check.target
    host = authority(member) if check.host is None else check.host.encode()
    # RFC 9110 §8.6: where a body is expected, none is said to be there.
    length = b"Content-Length: 0\r\n" if check.method in _WITH_BODY else b""
    return b"%b %b HTTP/1.1\r\nHost: %b\r\nUser-Agent: sorryd\r\nConnection: close\r\n%b\r\n" % (
        check.method.encode(), target.encode(), host, length,
    )  # fmt: skip


class Probe(NewConnection):
    """One check, a protocol of its transport.

    `judged` gets the verdict, once: None where the member is well, else why it is not; empty
    where it is sorryd that could not connect. `over`, when nothing is left of the check, which is
    within its timeout. After `cancel` neither is called.
    """

    def __init__(
        self,
        check: Check,
        head_limit: int,
        clock: IReactorTime,
        judged: Callable[[str | None], None],
        over: Callable[[], None],
    ) -> None:
        self.on_handshake = None
        self.on_lost = None  # while it is being made
        self.socket = None
        self.address = ""
        self.resumption = None  # a check looks at the certificate each time
        self.transport: Wire | None = None
        self._check = check
        self._head_limit = head_limit
        self._clock = clock
        self._judged: Callable[[str | None], None] | None = judged
        self._over: Callable[[], None] | None = over
        self._cancel_connect: Callable[[], None] | None = None
        self._timer: IDelayedCall | None = None
        self._question = b""
        self._buffer = b""  # an incomplete head
        self._informational = 0
        self._left = 0  # of the body, once there is a verdict

    def start(self, connector: Connector, member: Member) -> None:
        """Begin to check."""
        self._question = question(self._check, member)
        self._timer = self._clock.callLater(self._check.timeout, self._late)
        self._cancel_connect = connector.connect(self, member, self._connected)

    def cancel(self) -> None:
        """Nobody wants to know any more."""
        self._judged = self._over = None
        self._drop()

    # --- what happens ---

    def makeConnection(self, transport: Wire) -> None:
        self.transport = transport

    def handshakeCompleted(self) -> None:
        if self.on_handshake is not None:
            self.on_handshake()

    def _connected(self, why: str | None) -> None:
        self._cancel_connect = None
        if why is not None:
            self._judge(why)
            self._end()
        elif self._question:
            assert self.transport is not None
            self.transport.write(self._question)
        else:
            self._judge(None)
            self._close()

    def dataReceived(self, data: bytes) -> None:
        if self._judged is None:
            self._read_away(len(data))
            return
        searched = len(self._buffer)
        try:
            self._read(self._buffer + data, searched)
        except BadMessage as why:
            self._judge(why.why)
            self._drop()

    def _read(self, data: bytes, searched: int) -> None:
        while True:
            end = head_end(data, self._head_limit, searched)
            if end < 0:
                check_answer_beginning(data)
                self._buffer = data
                return
            head = read_response(data, end, self._check.method == "HEAD")
            data, searched = data[end:], 0
            if head.status >= 200 or head.status == 101:
                break
            self._informational += 1
            if self._informational > MAX_INFORMATIONAL:
                raise BadMessage(502, "too many informational answers")
        self._left = READ_AWAY if head.length is None else min(head.length, READ_AWAY)
        self._answered(head)
        self._read_away(len(data))

    def _answered(self, head: ResponseHead) -> None:
        expected = any(low <= head.status <= high for low, high in self._check.expect)
        self._judge(None if expected else f"answered {head.status}")

    def _read_away(self, size: int) -> None:
        self._left -= size
        if self._left <= 0:
            self._close()

    def readConnectionLost(self) -> None:
        self._lost("closed the connection")
        self._close()

    def connectionLost(self, reason: Failure) -> None:
        self._lost("the connection was lost")
        self._end()

    def _lost(self, why: str) -> None:
        if self.on_lost is not None:
            self.on_lost()  # which tells `_connected`
        began = self._buffer or self._informational
        self._judge(f"{why} {'in the middle of' if began else 'before'} its answer")

    def _late(self) -> None:
        self._timer = None
        what = "answer" if self._cancel_connect is None else "connection"
        self._judge(f"no {what} within {self._check.timeout:g} s")
        self._drop()

    # --- endings ---

    def _judge(self, why: str | None) -> None:
        judged, self._judged = self._judged, None
        if judged is not None:
            judged(why)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def _drop(self) -> None:
        """Let go of the connection, made or not."""
        cancel, self._cancel_connect = self._cancel_connect, None
        if cancel is not None:
            cancel()
        elif self.transport is not None:
            self.transport.abortConnection()
        self._end()

    def _end(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        over, self._over = self._over, None
        if over is not None:
            over()
