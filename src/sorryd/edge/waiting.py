"""Requests that wait because their members have as many as they may get: in order, not for long.

Those that wait for the same stand in one line. The oldest request that some member can take now
goes first; who waits for a member of its own (a sticky cookie, a hash) lets others pass.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Protocol

from sorryd.edge.member_interfaces import Pool, QueueFull
from sorryd.edge.wheel import Wheel
from sorryd.policy.heads import RequestHead

Soon = Callable[[Callable[[], None]], None]
"""Calls something after what is being done now: readiness.Readiness.soon."""


class Waiting:
    """A request in the queue, with what members are chosen by. `own` is the only one it is for.

    `go` is told the member that takes it, `late` that none did in time. Either is called once,
    when the request has left the queue.
    """

    __slots__ = ("client", "deadline", "go", "head", "late", "number", "own", "queue", "tried")

    queue: Queue
    number: int

    def __init__(
        self,
        tried: tuple[Pool, ...],
        head: RequestHead,
        client: str,
        go: Callable[[Pool], None],
        late: Callable[[], None],
    ) -> None:
        self.tried = tried
        self.head = head
        self.client = client
        self.go = go
        self.late = late
        self.own: Pool | None = None
        self.deadline = 0.0

    @property
    def line(self) -> Line:
        """Where it stands: with those that the same members can take."""
        return self.own, self.tried

    def timed_out(self) -> None:
        """See wheel.Timed."""
        self.queue.expire(self)


Line = tuple[Pool | None, tuple[Pool, ...]]


class Chooser(Protocol):
    """Who knows which member can take a request: see choosing.py."""

    def member_for(self, waiting: Waiting) -> Pool | None:
        """The member that can take it now."""

    def other_than_own(self, waiting: Waiting) -> Pool | None:
        """Another member that can, when its own did not in time."""


class Queue:
    """The requests of one site that wait. At most `limit`, each at most `timeout` seconds."""

    def __init__(self, wheel: Wheel, soon: Soon, chooser: Chooser) -> None:
        self.limit = 0
        self.timeout = 0.0
        self._is_due = False  # it will be looked at soon
        self._wheel = wheel
        self._soon = soon
        self._chooser = chooser
        self._numbers = itertools.count()
        self._lines: dict[Line, OrderedDict[Waiting, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Waiting]:
        """In the order in which they came."""
        return iter(
            sorted(itertools.chain(*self._lines.values()), key=lambda waiting: waiting.number)
        )

    @property
    def comes_first(self) -> bool:
        """Whether nobody else may be served now: there is room that those here have not got yet."""
        return self._is_due and self._count > 0

    def join(self, waiting: Waiting) -> Callable[[], None]:
        """Wait at the end. Returns what takes the request out again. Raises QueueFull."""
        if self._count >= self.limit:
            raise QueueFull
        waiting.queue = self
        waiting.number = next(self._numbers)
        waiting.deadline = self._wheel.now + self.timeout
        self._count += 1
        self._wheel.add(waiting)
        self._lines.setdefault(waiting.line, OrderedDict())[waiting] = None
        return functools.partial(self._leave, waiting)

    def rearrange(self, own: Callable[[Waiting], Pool | None]) -> None:
        """The members are others: `own` says anew what each request is for."""
        everyone = tuple(self)
        self._lines = {}
        for waiting in everyone:
            waiting.own = own(waiting)
            self._lines.setdefault(waiting.line, OrderedDict())[waiting] = None
        self.look_soon()

    def look_soon(self) -> None:
        """A member may have room: see who can go, after what is being done now."""
        if self._count and not self._is_due:
            self._is_due = True
            self._soon(self._look)

    def _look(self) -> None:
        self._is_due = False
        lines = [(next(iter(line)).number, key) for key, line in self._lines.items()]
        heapq.heapify(lines)
        try:
            while lines:
                _, key = heapq.heappop(lines)
                if self._goes(key) and key in self._lines:
                    heapq.heappush(lines, (next(iter(self._lines[key])).number, key))
        except Exception:
            self.look_soon()  # a bug in the request that went must not hold the others up
            raise

    def _goes(self, key: Line) -> bool:
        """Send the first one of a line to a member; whether one could take it."""
        line = self._lines.get(key)
        if line is None:
            return False
        waiting = next(iter(line))
        pool = self._chooser.member_for(waiting)
        if pool is None:
            return False
        self._leave(waiting)
        waiting.go(pool)
        return True

    def expire(self, waiting: Waiting) -> None:
        """It has waited long enough."""
        self._leave(waiting)
        pool = self._chooser.other_than_own(waiting)
        if pool is None:
            waiting.late()
        else:
            waiting.go(pool)

    def _leave(self, waiting: Waiting) -> None:
        self._count -= 1
        self._wheel.discard(waiting)
        line = self._lines[waiting.line]
        del line[waiting]
        if not line:
            del self._lines[waiting.line]
