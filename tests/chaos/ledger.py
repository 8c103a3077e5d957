"""What is known for certain of where each site stands, and who saw something else.

Pure: instants are arguments. Nothing is claimed of the times between, while a command is on its
way or an edge of a window is less than `ALLOWED` ago.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Iterable
from typing import Final

from tests.chaos.words import Seen

ALLOWED: Final = 0.1
"""Seconds by which a window may open or close too late; never too early."""

PAGE: Final = "page"


@dataclasses.dataclass(frozen=True)
class Span:
    """A site stands so at every instant of ``[since, until]``."""

    since: float
    until: float
    is_down: bool


@dataclasses.dataclass(frozen=True)
class Edge:
    """A window opens or closes at an instant; the next thing that happens is not before `until`."""

    site: str
    at: float
    until: float
    is_down: bool


class Ledger:
    """Of each site, spans in their order, without overlaps."""

    def __init__(self) -> None:
        self._spans: dict[str, list[Span]] = {}
        self.edges: list[Edge] = []

    def know(self, site: str, since: float, until: float, *, is_down: bool) -> None:
        """It is certain of a span after those that are known already; an empty one says nothing."""
        spans = self._spans.setdefault(site, [])
        assert not spans or since >= spans[-1].until, (site, since, spans[-1])
        if since < until:
            spans.append(Span(since, until, is_down))

    def seconds(self) -> float:
        """For how long something is certain, all sites together."""
        return sum(span.until - span.since for spans in self._spans.values() for span in spans)

    def wrong(self, seen: Seen) -> str | None:
        """What is wrong with an answer: it can't have been right at any instant of its making."""
        span = self._span(seen.site, seen.asked)
        if span is None or seen.answered > span.until or span.is_down == (seen.said != PAGE):
            return None
        return (
            f"{seen.site}: {seen.said} though it was {'down' if span.is_down else 'live'}: asked "
            f"{(seen.asked - span.since) * 1000:.0f} ms after that began, answered "
            f"{(span.until - seen.answered) * 1000:.0f} ms before it ended"
        )

    def is_certain(self, seen: Seen) -> bool:
        """Whether it is judged at all."""
        span = self._span(seen.site, seen.asked)
        return span is not None and seen.answered <= span.until

    def _span(self, site: str, instant: float) -> Span | None:
        spans = self._spans.get(site, [])
        place = bisect.bisect_right(spans, instant, key=lambda span: span.since)
        return spans[place - 1] if place and instant <= spans[place - 1].until else None

    def lateness(self, all_seen: Iterable[Seen]) -> dict[Edge, float]:
        """Of each edge of a window, how long after it the last old answer was still asked for.

        In seconds, 0 where none was. It is the visitors' view: nobody asks all the time.
        """
        late = dict.fromkeys(self.edges, 0.0)
        for seen in all_seen:
            for edge in self.edges:
                is_old = edge.is_down == (seen.said == PAGE)
                within = edge.at < seen.asked and seen.answered < edge.until
                if is_old and within and seen.site == edge.site:
                    late[edge] = max(late[edge], seen.asked - edge.at)
        return late
