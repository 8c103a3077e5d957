"""A request's way to a member: which one, on which connection, and what is kept of its body.

The other half of an exchange, the answer and what may go wrong with it, is in relay.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sorryd.edge.access import End
from sorryd.edge.bodies import in_chunks
from sorryd.edge.interfaces import Exchange as Carried
from sorryd.edge.interfaces import Visitor, Wire
from sorryd.edge.member_interfaces import Connection, Members, Pool, QueueFull
from sorryd.policy.headers import IDEMPOTENT, request_head
from sorryd.policy.heads import RequestHead

REPLAYED: Final = 65536
"""Bytes of a request's body that are kept in case it must be sent again."""

BAD_GATEWAY: Final = 502


class Sending(Carried):
    """A request, and the member that it is sent to."""

    __slots__ = (
        "_blamed", "_chunked_out", "_fresh_only", "_head", "_held", "_kept", "_kept_size",
        "_members", "_once", "_pool", "_record", "_stop_waiting", "_trial", "_tried", "_visitor",
        "connection", "framed", "started",
    )  # fmt: skip

    def __init__(
        self, visitor: Visitor, members: Members, head: RequestHead, request_done: bool
    ) -> None:
        self._visitor = visitor
        self._members = members
        self._head = head
        self.request_done = request_done
        self.connection: Connection | None = None
        self._record = visitor.record
        self._pool: Pool | None = None
        self._once = head.method not in IDEMPOTENT or head.upgrade is not None
        self._tried: tuple[Pool, ...] = ()
        self._trial = self._fresh_only = self._held = False
        # Takes back what is waited for: a connection in the making, or a place in the queue.
        self._stop_waiting: Callable[[], None] | None = None
        # The body so far, coded for the member; None once it is too much to keep.
        self._kept: list[bytes | memoryview] | None = [] if head.has_body else None
        self._kept_size = 0
        # Of the answer, for relay.py: one call less for each request.
        self.bodiless = head.method == b"HEAD"
        self.started = False  # something of the final answer went to the visitor
        self.trailers = b""  # of the answer, before its last piece
        self._blamed = self._chunked_out = False
        self.framed = True

    # --- to whom ---

    def start(self) -> None:
        """Send the request, with what is here of its body, to the next member, or say sorry."""
        pool = self._members.pick(self._tried, self._head, self._visitor.client)
        if pool is None:
            self._wait_in_line()
            return
        self._go_to(pool)

    def _go_to(self, pool: Pool) -> None:
        if self._tried:
            self._tried[-1].tally.failovers += 1
            self._tried = (*self._tried, pool)
        else:
            self._tried = (pool,)
        self._attempt(pool)

    def _wait_in_line(self) -> None:
        """Nobody takes the request now: wait until somebody does, or say sorry."""
        try:
            cancel = self._members.wait(
                self._tried, self._head, self._visitor.client, self._its_turn, self._no_room
            )
        except QueueFull:
            self._no_room()
            return
        if cancel is None:
            if self._tried:
                self._visitor.apologise(BAD_GATEWAY, End.MEMBER_FAILED)
            else:
                self._visitor.apologise(None, End.NO_MEMBER)
            return
        self._stop_waiting = cancel
        if not self.request_done:
            self._visitor.pause_request()

    def _its_turn(self, pool: Pool) -> None:
        self._stop_waiting = None
        self._go_to(pool)

    def _no_room(self) -> None:
        """No member had any in time, or too many wait already."""
        self._stop_waiting = None
        self._visitor.apologise(None, End.QUEUE)

    def _attempt(self, pool: Pool) -> None:
        self._pool = pool
        self._visitor.tally = pool.tally
        pool.active += 1
        self._trial = pool.on_trial
        if self._trial:
            pool.trying += 1
            if pool.worker:
                self._members.tried(pool, True)
        if self._record is not None:
            self._record.member = pool.url
            self._record.retries = len(self._tried) - 1
        connection = None if self._fresh_only else pool.take(self._once)
        if connection is not None:
            self._send_on(connection)
            return
        if not self.request_done:
            self._visitor.pause_request()
        self._stop_waiting = pool.connect(self._connected)

    def _connected(self, connection: Connection | None, why: str) -> None:
        self._stop_waiting = None
        if connection is not None:
            self._send_on(connection)
            return
        pool = self._leave()
        if not why:
            self._visitor.apologise(None, End.NO_MEMBER)
            return
        self._members.failed(pool, why)
        self.start()

    # --- what is sent ---

    def _send_on(self, connection: Connection) -> None:
        pool = self._pool
        assert pool is not None
        self.connection = connection
        head = self._head
        data = request_head(
            head,
            self._visitor.forwarding(head),
            pool.authority,
            self._members.preserve_host,
            pool.prefix,
        )
        body = self._kept
        if body and self._once:
            self._kept = None
        if not self.request_done:
            # Before the bytes go: should they fill the member's transport, it pauses again.
            self._visitor.resume_request()
        connection.begin(self, data, body)
        if self._held:
            connection.pause()

    def request_body(self, piece: bytes, done: bool, trailers: bytes = b"") -> None:
        """A piece of the request's body; `done` with the last one, and its trailer lines."""
        self.request_done = done
        if self._head.chunked:
            piece = in_chunks(piece, done, trailers)
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

    def take_whole(self, body: memoryview) -> None:
        """All of the request's body, of a known length, before anything is sent."""
        assert self._kept is not None
        self.request_done = True
        self._kept.append(body)
        self._kept_size = len(body)

    def inlet(self) -> Wire | None:
        """See interfaces.Answering."""
        if self.connection is None or self._kept is not None or self._head.chunked:
            return None
        return self.connection.transport

    def _keep(self, piece: bytes) -> None:
        self._kept_size += len(piece)
        if self._once or self._kept_size > REPLAYED:
            self._kept = None
        elif self._kept is not None:
            self._kept.append(piece)

    def _may_repeat(self) -> bool:
        """RFC 9110 §9.2.2: an idempotent method, with all of its body so far at hand."""
        return not self._once and (self._kept is not None or not self._head.has_body)

    # --- endings ---

    def cancel(self) -> None:
        """The visitor has gone, or its time is over: let go of the member."""
        connection = self.connection
        if self._stop_waiting is not None:
            self._stop_waiting()
            self._stop_waiting = None
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
            if pool.worker:
                self._members.tried(pool, False)
        if pool.limit or self._trial:
            self._members.freed(pool)

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
