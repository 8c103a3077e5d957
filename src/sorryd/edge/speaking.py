"""What sorryd itself says to a visitor: apologies, refusals, redirections; and how answers end.

Whatever is answered before the whole request was read, the rest is read away within limits, so
that the connection lives, or at least the answer is not destroyed by a reset.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sorryd.edge.access import DONE, SORRY, End
from sorryd.edge.bad_message import BadMessage
from sorryd.edge.interfaces import Answering, TunnelEnd, Wire
from sorryd.edge.noting import NotedLine
from sorryd.edge.refusals import refusal
from sorryd.edge.requests import RequestReader
from sorryd.edge.site import SiteEdge
from sorryd.edge.tally import first_digit
from sorryd.edge.tunnel import Tunnel
from sorryd.edge.websocket import WebSocket
from sorryd.edge.wheel import NEVER
from sorryd.policy.answers import Answer
from sorryd.policy.apologies import Apologies
from sorryd.policy.heads import RequestHead
from sorryd.policy.redirects import redirection

_CLOSE: Final = b"Connection: close\r\n"
_KEEP_ALIVE: Final = b"Connection: keep-alive\r\n"
_LATE: Final = 408

SILENCE: Final = 5.0
"""Seconds that a stream may pause when sorryd stops, where its visitor has sent FIN."""


class Speaker(NotedLine):
    """A line, with the request that is answered on it."""

    __slots__ = (
        "_answering", "_exchange", "_head", "_last", "_quiet_since", "_requests",
    )  # fmt: skip

    def __init__(self, site: SiteEdge) -> None:
        super().__init__(site)
        self._requests = RequestReader(site)
        self._head: RequestHead | None = None
        self._exchange: Answering | None = None
        self._answering = False  # the answer to the current request is not whole
        self._last = False  # the current answer is the connection's last
        self._quiet_since = NEVER

    def answered(self) -> None:
        """The answer is whole: see client.py."""
        raise NotImplementedError

    def timed_out(self) -> None:
        """The deadline has passed: see client.py."""
        raise NotImplementedError

    def connection_field(self, framed: bool) -> bytes:
        """See interfaces.Visitor."""
        head = self._head
        assert head is not None
        is_plain = framed and self._requests.body is None and self._site.lasting
        if not (is_plain or (framed and self._lives_on(head))):
            self._last = True
        if self._last:
            return _CLOSE
        return b"" if head.minor else _KEEP_ALIVE

    def _lives_on(self, head: RequestHead) -> bool:
        """Whether the connection can serve another request that may come, or has come already."""
        asked, stays = self._requests, self._site.lasting or bool(self._requests.ahead)
        return stays and (asked.body is None or asked.is_worth_reading(head))

    # --- answers of our own ---

    def apologise(self, status: int | None, why: End) -> None:
        """See interfaces.Visitor."""
        self._say_sorry(self._site.apology_for_members(status), why)

    def _say_sorry(self, apologies: Apologies, why: End) -> None:
        self._site.tally.apologies[apologies.cause] += 1
        self._say(self._sorry(apologies, self._site.now()), why)
        self.answered()

    def _say_sorry_at_once(self, apologies: Apologies) -> None:
        """To a request that has not begun; it takes no time."""
        site = self._site
        now, access = site.instant, site.access
        record = None if access is None else self._record_of(access, self._head, now)
        answer = self._sorry(apologies, now)
        site.tally.apologised(apologies.cause, answer)
        if record is not None:
            record.say(answer)
            record.finish(SORRY)
        self.send(answer)
        self.answered()

    def _sorry(self, apologies: Apologies, now: float) -> bytes:
        head = self._head
        assert head is not None
        if not (self._requests.body is None and self._site.lasting) and not self._lives_on(head):
            self._last = True
        keep_alive = head.minor == 0 and not self._last
        return apologies.response(head.method, head.seen, now, self._last, keep_alive, head.block)

    def _say(self, answer: bytes, why: End) -> None:
        """Send a whole answer of our own; count it, and write it down."""
        self.code_class = first_digit(answer)
        self.tally.sent += len(answer)
        if self.record is not None:
            self.record.say(answer)
        self._note(why)
        self.send(answer)

    def _say_itself(self, answer: Answer) -> None:
        """Send a short answer, whole."""
        head = answer.head(self._site.now(), self.connection_field(True))
        self._say(head + answer.body, DONE)
        self.answered()

    def _redirect(self, head: RequestHead, host: bytes, port: int) -> None:
        """To the same target over https."""
        if head.minor == 0 or not self._lives_on(head):
            self._last = True
        is_head = head.method == b"HEAD"
        self._say(redirection(host, head.target, port, is_head, self._last), DONE)
        self.answered()

    def _refuse(self, why: BadMessage, received: bytes) -> None:
        """Tell the visitor what was wrong, where an answer can still be given."""
        exchange = self._exchange
        answered = self._requests.body is not None and not self._answering
        self._cancel()
        if exchange is not None and exchange.started:
            self.cut(exchange.framed, End.REFUSED)
            return
        if not answered:
            head_only = self._answering and self._head is not None and self._head.method == b"HEAD"
            if self._began is None:
                head = self._head if self._answering else None
                self._begin(head, self._site.now(), received)
            self._say(
                refusal(why.status, why.why, head_only),
                End.VISITOR_LATE if why.status == _LATE else End.REFUSED,
            )
        self._linger()

    # --- endings ---

    def cut(self, framed: bool, why: End) -> None:
        """See interfaces.Visitor."""
        self._note(why)
        self._exchange = None
        if framed:
            self.close()
        else:
            self._abort()

    def finish(self) -> None:
        """sorryd stops: close when what was begun to be asked is answered, or now."""
        self._last = True
        if not (self._answering or self._closing or self._requests.ahead):
            self._end_politely()
        elif self._ended and self._exchange is not None and self._exchange.started:
            self._watch_stream()

    def _watch_stream(self) -> None:
        """The visitor has sent FIN. Whether it still reads is found out by sending alone."""
        if self._quiet_since == NEVER:
            self._quiet_since = self._site.wheel.now
        elif self._site.wheel.now - self._quiet_since >= SILENCE:
            self._cancel()
            self.cut(False, End.STOPPED)

    def send(self, data: bytes) -> None:
        """See interfaces.Visitor."""
        if self._quiet_since != NEVER:
            self._quiet_since = self._site.wheel.now
        self.transport.write(data)

    def outlet(self) -> Wire:
        """See interfaces.Visitor."""
        return self.transport

    def passed(self, size: int) -> None:
        """See interfaces.Visitor."""
        self.tally.sent += size
        if self._quiet_since != NEVER:
            self._quiet_since = self._site.wheel.now

    def expire(self) -> bool:
        """The site's drain is over: end what is in flight; whether there was something."""
        exchange, head, site = self._exchange, self._head, self._site
        if exchange is None or head is None or site.spares(head, self.client):
            return False
        exchange.cancel()
        why = self._why_cut
        if exchange.started:
            self.cut(exchange.framed, why)
        else:
            self._say_sorry(site.apology_for(head, self.client), why)
        return True

    @property
    def _why_cut(self) -> End:
        """For whose sake what is in flight is ended."""
        return End.STOPPED if self._site.stopping else End.DRAINED

    def _end_politely(self) -> None:
        if self._requests.body is not None or self._requests.ahead:
            self._linger()
        else:
            self.close()

    def _cancel(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.cancel()

    # --- the end of HTTP ---

    def begin_tunnel(
        self, member: Wire, ended: Callable[[], None], is_websocket: bool
    ) -> TunnelEnd:
        """See interfaces.Visitor."""
        self._exchange = None
        self._closing = True
        site, head, client = self._site, self._head, self.client
        site.left(self)
        record, self.record = self.record, None
        self._note(End.TUNNEL)  # the line of the log comes when the tunnel ends
        site.tally.tunnels += 1
        assert head is not None

        def over(size: int, was_cut: bool) -> None:
            ended()
            site.tally.tunnels -= 1
            if record is not None:
                record.body_bytes = size
                record.finish(self._why_cut if was_cut else End.TUNNEL)

        kind = WebSocket if is_websocket else Tunnel
        tunnel = kind(
            site,
            self.tally,
            self.transport,
            member,
            site.timeouts.tunnel,
            over,
            lambda: site.spares(head, client),
        )
        self._resume()
        return tunnel.take_over(self._requests.ahead, self._ended)
