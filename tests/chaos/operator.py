"""Who plans windows while the daemon is being killed, and holds it to what it has acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import datetime
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from tests.chaos.ledger import ALLOWED, Edge, Ledger
from tests.end_to_end.control import ControlRefused
from tests.end_to_end.daemon import Daemon
from tests.end_to_end.load import instant

PAUSE: Final = 0.02  # seconds until a daemon that gave no answer is asked again
PATIENCE: Final = 60.0  # seconds
TOO_LATE: Final = (-32000, -32602)  # it is over; or it would be, with an end in the past
QUIET: Final = 0.3  # seconds after the end of a window, for those who look whether it is over
UNANSWERED: Final = (OSError, EOFError, ValueError)


@dataclasses.dataclass(frozen=True)
class _Window:
    """As it was acknowledged, and when that was."""

    name: str
    start: float
    until: float
    known: float

    @property
    def certain(self) -> float:
        """From when on nobody may find it shut."""
        return max(self.start + ALLOWED, self.known)


class Operator:
    """Commands for one site; what is certain of it goes into the ledger.

    `deeds` are those that were acknowledged, as (action, window or None), `took` their seconds.
    """

    def __init__(self, daemon: Daemon, ledger: Ledger, site: str, chance: random.Random) -> None:
        self._daemon = daemon
        self._ledger = ledger
        self._site = site
        self._chance = chance
        self._numbers = itertools.count(1)
        self._since = time.time()  # it is live since then
        self.deeds: list[tuple[str, str | None]] = []
        self.windows: dict[str, str] = {}  # what became of each
        self.took: list[float] = []
        self.kinds: Counter[str] = Counter()
        self.unanswered = 0
        self._ends_of_windows: Sequence[Callable[[_Window], Awaitable[None]]] = (
            self._passes, self._ends, self._extends, self._cancels,
        )  # fmt: skip

    async def run(self, is_over: asyncio.Event) -> None:
        """One deed after the other; it is live at the end."""
        while not is_over.is_set():
            if self._chance.random() < 0.4:
                await self._goes_down()
            elif (window := await self._plan()) is not None:
                deed = self._chance.choice(self._ends_of_windows)
                self.kinds[deed.__name__.strip("_")] += 1
                await deed(window)
            await asyncio.sleep(self._chance.random() * 0.5)
        self._know(self._since, time.time(), is_down=False)

    # --- asking ---

    async def _insist(self, method: str, *, window: str | None = None, **params: Any) -> Any:
        """Ask until there is an answer; None where it is refused after one that got lost."""
        began, lost = time.monotonic(), 0
        while True:
            asked = time.monotonic()
            try:
                answer = await asyncio.to_thread(self._daemon.ask, method, params)
            except UNANSWERED as why:
                lost += 1
                self.unanswered += 1
                if time.monotonic() > began + PATIENCE:
                    raise AssertionError(f"{method} is never answered") from why
                await asyncio.sleep(PAUSE)
                continue
            except ControlRefused:
                if not lost:
                    raise
                return None  # it was done at the first time
            self.took.append(time.monotonic() - asked)
            if method not in ("window.get", "status"):
                self.deeds.append((method, window))
            return answer

    def _know(self, since: float, until: float, *, is_down: bool) -> None:
        self._ledger.know(self._site, since, until, is_down=is_down)

    async def _until(self, at: float) -> None:
        while (left := at - time.time()) > 0:
            await asyncio.sleep(left)

    # --- by hand ---

    async def _goes_down(self) -> None:
        self.kinds["goes_down"] += 1
        self._know(self._since, time.time(), is_down=False)
        await self._insist("site.down", site=self._site, reason="by chance")
        since = time.time()
        await asyncio.sleep(self._chance.random() * 1.5)
        self._know(since, time.time(), is_down=True)
        await self._insist("site.up", site=self._site)
        self._since = time.time()

    # --- windows ---

    async def _plan(self) -> _Window | None:
        """A window some time ahead, which may be over before it is known to be taken.

        None where the daemon was away for too long to take it at all.
        """
        name = f"{self._site}-{next(self._numbers)}"
        start = time.time() + 0.3 + self._chance.random() * 2
        span = {"from": spelled(start), "until": spelled(start + 0.4 + self._chance.random() * 2)}
        window = await self._command(
            "window.schedule", name, site=self._site, reason="by plan", **span
        )
        if window is None:
            with contextlib.suppress(ControlRefused):
                window = await self._insist("window.get", id=name)
        if window is None:
            self.kinds["came too late"] += 1
            return None
        self.windows[name] = "ended"
        return _Window(name, instant(window["from"]), instant(window["until"]), time.time())

    def _is_down(self, window: _Window, until: float) -> None:
        """It was live until the window began, and down then until an instant."""
        self._know(self._since, window.start, is_down=False)
        self._know(window.certain, until, is_down=True)
        if window.known < window.start:
            self._ledger.edges.append(Edge(self._site, window.start, until, True))

    async def _is_over(self, until: float) -> None:
        """It passes by itself."""
        self._since = max(until + ALLOWED, time.time())
        if time.time() < until:
            self._ledger.edges.append(Edge(self._site, until, until + QUIET, False))
        await self._until(until + QUIET)

    async def _passes(self, window: _Window) -> None:
        self._is_down(window, window.until)
        await self._is_over(window.until)

    async def _ends(self, window: _Window) -> None:
        await self._until(window.start + (window.until - window.start) * self._chance.random())
        asked = time.time()
        if asked > window.until - 0.05:
            self._is_down(window, window.until)
            await self._is_over(window.until)
            return
        self._is_down(window, asked)
        done = await self._command("window.end", window.name)
        late = 0.0 if done is not None else window.until + ALLOWED
        self._since = max(window.certain, time.time(), late)

    async def _extends(self, window: _Window) -> None:
        length = window.until - window.start
        await self._until(window.start + length * (self._chance.random() - 0.5))
        later = window.until + 0.5 + self._chance.random()
        done = await self._command("window.extend", window.name, until=spelled(later))
        acknowledged = time.time()
        until = later if done is None else instant(done["until"])
        if done is None or acknowledged > window.until:
            self._is_down(window, window.until)
            since = max(window.certain, acknowledged)
            self._know(since, since if done is None else until, is_down=True)
        else:
            self._is_down(window, until)
        await self._is_over(until)

    async def _cancels(self, window: _Window) -> None:
        if time.time() < window.start - 0.1:
            await self._command("window.cancel", window.name)
            now = time.time()
            found = await self._insist("window.get", id=window.name)
            if found["phase"] == "cancelled":
                self.windows[window.name] = "cancelled"
                if now > window.start:
                    self._know(self._since, window.start, is_down=False)
                    self._since = now
                return
        self._is_down(window, window.until)
        await self._is_over(window.until)

    async def _command(self, method: str, name: str, **params: Any) -> Any:
        """What may come too late; None then."""
        try:
            return await self._insist(method, window=name, id=name, **params)
        except ControlRefused as why:
            self.kinds[f"refused {method}"] += 1
            if why.code not in TOO_LATE:
                raise
            return None


def spelled(at: float) -> str:
    """An instant by RFC 3339, to the millisecond."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds")
