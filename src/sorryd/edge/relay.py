"""One exchange: a visitor's request, sent to a member, and the member's answer.

It holds what must be decided between the two connections: which member is next when one
fails, whether the request may be sent again, when the visitor gets the apology instead, and
when all that is left is to cut the connection so that nobody takes a part for the whole.
"""

from __future__ import annotations

from typing import Final

from sorryd.edge.access import End
from sorryd.edge.bodies import in_chunks
from sorryd.edge.interfaces import Wire
from sorryd.edge.member_interfaces import Pool
from sorryd.edge.sending import BAD_GATEWAY, Sending
from sorryd.policy.headers import is_asked_for, is_websocket, response_head, switching_head
from sorryd.policy.heads import ResponseHead

GATEWAY_TIMEOUT: Final = 504


class Exchange(Sending):
    """From a request's head to the end of its answer."""

    __slots__ = ()

    # --- from the member ---

    def informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on; HTTP/1.0 has none (RFC 9110 §15.2)."""
        if self._head.minor == 1:
            data = response_head(head, False, b"")
            self._visitor.tally.sent += len(data)
            self._visitor.send(data)

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        """The final head, and the body so far, in one write."""
        pool, members = self._pool, self._members
        assert pool is not None
        if head.status in members.fail_on:
            self._answered_badly(head, done)
            return
        if self._trial or not pool.is_up:
            self._proved(pool)
        self.started = True
        self._visitor.code_class = head.status // 100
        if self._record is not None:
            self._record.begin_answer(head.status, len(piece))
        unsized = head.length is None
        self._chunked_out = unsized and self._head.minor == 1
        self.framed = self._chunked_out or not unsized
        if head.located is not None and members.rewriting is not None:
            head.lines = members.rewriting.rewrite(
                head.lines, head.located, self._visitor.is_secure, self._visitor.host(self._head)
            )
        connection = self._visitor.connection_field(self.framed)
        if members.has_cookies:
            connection += members.cookie(self._head, pool, self._visitor.is_secure)
        data = response_head(head, self._chunked_out, connection)
        self._send(data + (self._coded(piece, done) if self._chunked_out else piece), done)

    def answer_body(self, piece: bytes, done: bool) -> None:
        """More of the body."""
        if self._record is not None:
            self._record.body_bytes += len(piece)
        self._send(self._coded(piece, done) if self._chunked_out else piece, done)

    def outlet(self) -> Wire | None:
        """See interfaces.Exchange."""
        return None if self._chunked_out else self._visitor.outlet()

    def answer_passed(self, size: int) -> None:
        """See interfaces.Exchange."""
        if self._record is not None:
            self._record.body_bytes += size
        self._visitor.passed(size)

    def _coded(self, piece: bytes, done: bool) -> bytes:
        """A piece in the chunked coding; trailers only to who asked for them (RFC 9110 §6.5.1)."""
        return in_chunks(piece, done, self.trailers if self._head.takes_trailers else b"")

    def _send(self, data: bytes, done: bool) -> None:
        if done:
            # Before the bytes go: should they make the visitor's transport full, it is no
            # longer this member's connection that waits for it.
            self._leave()
        visitor = self._visitor
        if data:
            visitor.tally.sent += len(data)
            visitor.send(data)
        if done:
            visitor.answered()

    def switched(self, head: ResponseHead, rest: bytes) -> None:
        """The member changes protocol: a tunnel from here on, if it was asked to."""
        connection = self.connection
        assert connection is not None
        if not is_asked_for(head.upgrade, self._head.upgrade):
            connection.abandon()
            self.member_broke("switched protocols unasked")
            return
        assert self._pool is not None
        pool, self._pool, self.connection = self._pool, None, None
        if self._trial or not pool.is_up:
            self._proved(pool)
        if self._record is not None:
            self._record.begin_answer(head.status, 0)
        data = switching_head(head)
        self._visitor.code_class = head.status // 100
        self._visitor.tally.sent += len(data)
        self._visitor.send(data)
        member = self._visitor.begin_tunnel(
            connection.hand_over(), lambda: self._exit(pool), is_websocket(head)
        )
        if rest:
            member.dataReceived(rest)

    # --- failures ---

    def member_lost(self, why: str, silent: bool) -> None:
        """Closed before the answer was whole.

        `silent`: before a byte of it. On a connection used before that is the usual race with
        the member's own time-out and says nothing of its health: the same member is asked
        again on a fresh one, where the request may be (RFC 9112 §9.3.1).
        """
        raced = silent and self.connection is not None and self.connection.reused
        pool = self._leave()
        if not raced:
            self._blame(pool, why)
            self._again()
        elif self._may_repeat():
            self._fresh_only = True
            pool.tally.retries += 1
            self._attempt(pool)
        else:
            self._give_up(BAD_GATEWAY, End.MEMBER_FAILED)

    def member_broke(self, why: str) -> None:
        """The answer can't be trusted."""
        self._blame(self._leave(), why)
        self._again()

    def _answered_badly(self, head: ResponseHead, done: bool) -> None:
        """With a status that `fail_on` names: as good as no answer."""
        connection = self.connection
        if not done and connection is not None:
            connection.abandon()
        self.trailers = b""  # of this answer
        self.member_broke(f"answered {head.status}")

    def _blame(self, pool: Pool, why: str) -> None:
        """The first member that breaks down over a request has failed. Where others do so too,
        it is the request: one such must not put all members to rest."""
        if not self._blamed:
            self._blamed = True
            self._members.failed(pool, why)

    def member_late(self) -> None:
        """Too slow. Not asked again elsewhere: that would double the load it suffers from."""
        self._leave()
        self._give_up(GATEWAY_TIMEOUT, End.MEMBER_LATE)

    def _again(self) -> None:
        if not self.started and self._may_repeat():
            self.start()
        else:
            self._give_up(BAD_GATEWAY, End.MEMBER_FAILED)

    def _give_up(self, status: int, end: End) -> None:
        if self.started:
            self._visitor.cut(self.framed, End.MEMBER_CUT if end is End.MEMBER_FAILED else end)
        else:
            self._visitor.apologise(status, end)

    def _proved(self, pool: Pool) -> None:
        """The member answers: the rest of this exchange, however long, is no trial any more."""
        if not pool.is_up:
            self._members.answered(pool)
        if self._trial:
            self._trial = False
            pool.trying -= 1
