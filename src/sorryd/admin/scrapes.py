"""The text that scrapers get: made in a thread, and one at a time, however many ask.

With thousands of members it takes a while. Those who ask meanwhile wait, and get together what is
made next: so nobody gets numbers of before it asked, and a crowd costs no more than two.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred

from sorryd.admin.metrics import families
from sorryd.admin.overview import Overview

FAST: Final = 1
"""The level of gzip: a text of numbers becomes a tenth by it, and half of that by the best one,
for ten times the work."""


class Form(NamedTuple):
    """In what form a scraper wants it; `kind` is a Content-Type."""

    kind: str
    is_gzipped: bool


class Scrapes:
    """Mutable. `look` gives what is so, `aside` calls something in a thread."""

    def __init__(
        self,
        look: Callable[[], Deferred[Overview]],
        aside: Callable[[Callable[[], bytes]], Deferred[bytes]],
    ) -> None:
        self._look = look
        self._aside = aside
        self._waiting: list[tuple[Form, str, Deferred[bytes]]] = []
        self._is_busy = False

    def text(self, accept: str, form: Form) -> Deferred[bytes]:
        """What there is to tell, in `form`, which is one for the field `accept`."""
        asked: Deferred[bytes] = Deferred()
        self._waiting.append((form, accept, asked))
        if not self._is_busy:
            self._is_busy = True
            Deferred.fromCoroutine(self._make_all())
        return asked

    async def _make_all(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                await self._make(asked)
        finally:
            self._is_busy = False

    async def _make(self, asked: Sequence[tuple[Form, str, Deferred[bytes]]]) -> None:
        try:
            seen = await self._look()
            made: dict[Form, bytes] = {}
            for form, accept, _ in asked:
                if form not in made:
                    made[form] = await self._aside(partial(text, seen, accept, form.is_gzipped))
        except Exception as why:  # a bug; each who asked is told
            for _, _, one in asked:
                one.errback(why)
            return
        for form, _, one in asked:
            one.callback(made[form])


def form_for(accept: str, takes_gzip: bool) -> Form:
    """OpenMetrics or the older text, as prometheus-client understands Accept."""
    return Form(choose_encoder(accept)[1], takes_gzip)


def text(seen: Overview, accept: str, is_gzipped: bool) -> bytes:
    """All metrics, and those of this process."""
    registry = CollectorRegistry()
    registry.register(_Collected(seen))
    ProcessCollector(registry=registry)
    encoded = choose_encoder(accept)[0](registry)
    return gzip.compress(encoded, FAST, mtime=0) if is_gzipped else encoded


class _Collected(Collector):
    """What was seen, as prometheus-client asks for it."""

    def __init__(self, seen: Overview) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        return families(self._seen)
