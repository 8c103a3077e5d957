"""One exchange: a visitor's request, sent to a member, and the member's answer.

It holds what must be decided between the two connections: which member is next when one
fails, whether the request may be sent again, when the visitor gets the apology instead, and
when all that is left is to cut the connection so that nobody takes a part for the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sorryd.edge.bodies import in_chunks
from sorryd.edge.heads import RequestHead, ResponseHead
from sorryd.edge.interfaces import Connection, Members, Pool, Visitor
from sorryd.policy.headers import (
    IDEMPOTENT,
    is_asked_for,
    request_head,
    response_head,
    switching_head,
)

REPLAYED: Final = 65536
"""Bytes of a request's body that are kept in case it must be sent again."""

BAD_GATEWAY: Final = 502
GATEWAY_TIMEOUT: Final = 504


class Exchange:
    """From a request's head to the end of its answer."""

    __slots__ = (
        "_blamed", "_cancel_connect", "_chunked_out", "_fresh_only", "_head", "_held", "_kept",
        "_kept_size", "_members", "_once", "_pool", "_trial", "_tried", "_visitor", "bodiless",
        "connection", "framed", "request_done", "started",
    )  # fmt: skip

    def __init__(
        self, visitor: Visitor, members: Members, head: RequestHead, request_done: bool
    ) -> None:
        self._visitor = visitor
        self._members = members
        self._head = head
        self.bodiless = head.method == b"HEAD"
        self.request_done = request_done
        self.started = False  # something of the final answer went to the visitor
        self.connection: Connection | None = None
        self._pool: Pool | None = None
        self._once = head.method not in IDEMPOTENT or head.upgrade is not None
        self._tried: tuple[int, ...] = ()
        self._trial = self._fresh_only = self._held = self._blamed = False
        self._cancel_connect: Callable[[], None] | None = None
        # The body so far, coded for the member; None once it is too much to keep.
        self._kept: list[bytes] | None = [] if head.has_body else None
        self._kept_size = 0
        self._chunked_out, self.framed = False, True

    # --- to the member ---

    def start(self) -> None:
        """Send the request, with what is here of its body, to the next member, or say sorry."""
        index = self._members.pick(self._tried)
        if index is None:
            self._visitor.apologise(BAD_GATEWAY if self._tried else None)
            return
        self._tried = (*self._tried, index)
        self._attempt(self._members.pools[index])

    def _attempt(self, pool: Pool) -> None:
        self._pool = pool
        pool.active += 1
        self._trial = pool.on_trial
        if self._trial:
            pool.trying += 1
        connection = None if self._fresh_only else pool.take(self._once)
        if connection is not None:
            self._send_on(connection)
            return
        if not self.request_done:
            self._visitor.pause_request()
        self._cancel_connect = pool.connect(self._connected)

    def _connected(self, connection: Connection | None, why: str) -> None:
        self._cancel_connect = None
        if connection is not None:
            self._send_on(connection)
            return
        pool = self._leave()
        if not why:
            self._visitor.apologise(None)
            return
        self._members.failed(pool, why)
        self.start()

    def _send_on(self, connection: Connection) -> None:
        assert self._pool is not None
        self.connection = connection
        data = request_head(
            self._head,
            self._visitor.forwarding(self._head.host),
            self._pool.authority,
            self._members.preserve_host,
        )
        if self._kept:
            data = b"".join((data, *self._kept))
            if self._once:
                self._kept = None
        if not self.request_done:
            # Before the bytes go: should they fill the member's transport, it pauses again.
            self._visitor.resume_request()
        connection.begin(self, data)
        if self._held:
            connection.pause()

    def request_body(self, piece: bytes, done: bool) -> None:
        """A piece of the request's body; `done` with the last one."""
        self.request_done = done
        if self._head.chunked:
            piece = in_chunks(piece, done)
        if not piece:
            return
        if self.connection is None:
            # Not sent yet, so it is kept whatever the method; the visitor is paused.
            assert self._kept is not None
            self._kept.append(piece)
            self._kept_size += len(piece)
            return
        if self._kept is not None:
            self._keep(piece)
        self.connection.send(piece)

    def _keep(self, piece: bytes) -> None:
        self._kept_size += len(piece)
        if self._once or self._kept_size > REPLAYED:
            self._kept = None
        elif self._kept is not None:
            self._kept.append(piece)

    # --- from the member ---

    def informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on; HTTP/1.0 has none (RFC 9110 §15.2)."""
        if self._head.minor == 1:
            self._visitor.send(response_head(head, False, b""))

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        """The final head, and the body so far, in one write."""
        pool = self._pool
        assert pool is not None
        if self._trial or not pool.is_up:
            self._proved(pool)
        self.started = True
        unsized = head.length is None
        self._chunked_out = unsized and self._head.minor == 1
        self.framed = self._chunked_out or not unsized
        data = response_head(head, self._chunked_out, self._visitor.connection_field(self.framed))
        self._send(data + (in_chunks(piece, done) if self._chunked_out else piece), done)

    def answer_body(self, piece: bytes, done: bool) -> None:
        """More of the body."""
        self._send(in_chunks(piece, done) if self._chunked_out else piece, done)

    def _send(self, data: bytes, done: bool) -> None:
        if done:
            # Before the bytes go: should they make the visitor's transport full, it is no
            # longer this member's connection that waits for it.
            self._leave()
        if data:
            self._visitor.send(data)
        if done:
            self._visitor.answered()

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
        self._visitor.send(switching_head(head))
        member = self._visitor.begin_tunnel(connection.hand_over(), lambda: self._exit(pool))
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
            self._attempt(pool)
        else:
            self._give_up(BAD_GATEWAY)

    def member_broke(self, why: str) -> None:
        """The answer can't be trusted."""
        self._blame(self._leave(), why)
        self._again()

    def _blame(self, pool: Pool, why: str) -> None:
        """The first member that breaks down over a request has failed. Where others do so too,
        it is the request: one such must not put all members to rest."""
        if not self._blamed:
            self._blamed = True
            self._members.failed(pool, why)

    def member_late(self) -> None:
        """Too slow. Not asked again elsewhere: that would double the load it suffers from."""
        self._leave()
        self._give_up(GATEWAY_TIMEOUT)

    def _again(self) -> None:
        if not self.started and self._may_repeat():
            self.start()
        else:
            self._give_up(BAD_GATEWAY)

    def _may_repeat(self) -> bool:
        """RFC 9110 §9.2.2: an idempotent method, with all of its body so far at hand."""
        return not self._once and (self._kept is not None or not self._head.has_body)

    def _give_up(self, status: int) -> None:
        if self.started:
            self._visitor.cut(self.framed)
        else:
            self._visitor.apologise(status)

    def cancel(self) -> None:
        """The visitor has gone, or its time is over: let go of the member."""
        connection = self.connection
        if self._cancel_connect is not None:
            self._cancel_connect()
            self._cancel_connect = None
        if self._pool is not None:
            self._leave()
        if connection is not None:
            connection.abandon()

    def _leave(self) -> Pool:
        """Free the member's slot, once."""
        pool = self._pool
        assert pool is not None
        self._pool = self.connection = None
        self._exit(pool)
        return pool

    def _exit(self, pool: Pool) -> None:
        pool.active -= 1
        if self._trial:
            pool.trying -= 1

    def _proved(self, pool: Pool) -> None:
        """The member answers: the rest of this exchange, however long, is no trial any more."""
        if not pool.is_up:
            self._members.answered(pool)
        if self._trial:
            self._trial = False
            pool.trying -= 1

    # --- back-pressure ---

    def pause_request(self) -> None:
        """The member does not take the request's body."""
        if not self.request_done:
            self._visitor.pause_request()

    def resume_request(self) -> None:
        """It does again."""
        self._visitor.resume_request()

    def pause_answer(self) -> None:
        """The visitor does not take the answer, nor would it another member's."""
        self._held = True
        if self.connection is not None:
            self.connection.pause()

    def resume_answer(self) -> None:
        """It does again."""
        self._held = False
        if self.connection is not None:
            self.connection.resume()
