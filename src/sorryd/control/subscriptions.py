"""Events for those who subscribed: from the journal to each client, as fast as it reads.

A subscription has a cursor and no queue. It asks the journal for the next batch when there may be
one and the client takes what is written, and sends that; so a thousand slow clients cost the
memory of their batches, none misses an event, and none gets one twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from sorryd.control.lines import encode_event
from sorryd.errors import conflict
from sorryd.journal import HistoryEntry
from sorryd.replies_history import HistoryEntry as Deed
from sorryd.stream import Stream

MAX_SUBSCRIPTIONS: Final = 50
"""Subscriptions at a time; half of the connections that there may be."""

BATCH: Final = 100
"""Events that are sent in one go, at the most."""


class Subscription:
    """Sends events after the cursor `after` as lines to `send`; begins with `resume`.

    `broken` is called when the journal can't be read, and no more is sent then.
    """

    def __init__(
        self,
        home: Subscriptions,
        after: int,
        site: str | None,
        send: Callable[[bytes], None],
        broken: Callable[[Failure], None],
    ) -> None:
        self._home = home
        self._after = after
        self._site = site
        self._send = send
        self._broken = broken
        self._is_paused = True
        self._is_reading = False
        self._has_grown = False  # since what is being read was asked for
        self._is_closed = False

    def pause(self) -> None:
        """The client does not read."""
        self._is_paused = True

    def resume(self) -> None:
        """The client reads, again."""
        self._is_paused = False
        self.proceed()

    def close(self) -> None:
        """Send nothing more."""
        self._is_closed = True
        self._home.closed(self)

    def proceed(self) -> None:
        """There may be something to send."""
        self._has_grown = True
        if not (self._is_paused or self._is_reading or self._is_closed):
            self._is_reading = True
            self._has_grown = False
            reading = self._home.read(self._after, self._site)
            reading.addCallback(self._got).addErrback(self._failed)

    def _got(self, entries: tuple[HistoryEntry, ...]) -> None:
        self._is_reading = False
        if self._is_closed:
            return
        if entries:
            self._after = entries[-1].seq
            self._send(b"".join(encode_event(self._home.tell(entry)) for entry in entries))
        if entries or self._has_grown:
            self.proceed()

    def _failed(self, why: Failure) -> None:
        self._is_reading = False
        if not self._is_closed:
            self.close()
            self._broken(why)


class Subscriptions:
    """All subscriptions of a daemon. `tell` puts an entry into the protocol's words."""

    def __init__(
        self, stream: Stream, tell: Callable[[HistoryEntry], Deed], most: int = MAX_SUBSCRIPTIONS
    ) -> None:
        self.tell = tell
        self._stream = stream
        self._most = most
        self._open: dict[Subscription, None] = {}
        stream.listen(self._grown)

    def open(
        self,
        after: int,
        site: str | None,
        send: Callable[[bytes], None],
        broken: Callable[[Failure], None],
    ) -> Subscription:
        """A subscription that has not begun. Raises ControlError where there are too many."""
        if len(self._open) >= self._most:
            raise conflict(f"there are {self._most} subscriptions already: try again later")
        subscription = Subscription(self, after, site, send, broken)
        self._open[subscription] = None
        return subscription

    def closed(self, subscription: Subscription) -> None:
        """One is over."""
        self._open.pop(subscription, None)

    def read(self, after: int, site: str | None) -> Deferred[tuple[HistoryEntry, ...]]:
        """The next events of a site, or of all."""
        return self._stream.following(after, site, BATCH)

    def _grown(self) -> None:
        for subscription in tuple(self._open):
            subscription.proceed()
