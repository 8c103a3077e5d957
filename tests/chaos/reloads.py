"""Reloads of all kinds, by all ways, while visitors come and go."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.chaos.ledger import Ledger
from tests.chaos.town import Shape, Town
from tests.chaos.verdict import Verdict, judge
from tests.end_to_end.waiting import until
from tests.end_to_end.wire import Wire, request, visitor
from tests.soak.pages import body

_PAGE: Final = "/page/100/"
PAUSE: Final = 0.1  # seconds between two reloads, on the average
_KEPT: Final = 4
"""Connections by the extra listener; they outlive it."""


class Reloads:
    """Another configuration after the other. `took` has the seconds of each, `deeds` the kinds."""

    def __init__(self, town: Town, workers: Sequence[int]) -> None:
        self._town = town
        self._chance = town.chance
        self._workers = workers
        self.shape = Shape(workers=workers[0])
        self._kept: list[Wire] = []
        self.took: list[float] = []
        self.deeds: Counter[str] = Counter()
        self.faults: list[str] = []

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """For as long as reloads go on; what is kept open for them is closed at the end."""
        try:
            yield
        finally:
            for wire in self._kept:
                wire.close()

    def change(self, *, listeners: bool = True) -> list[str]:
        """Write other files: this and that is changed, whose names these are."""
        changed = self._change(listeners)
        self._town.configure(self.shape)
        self.deeds.update(changed)
        return changed

    def once(self) -> None:
        """Change this and that, and reload."""
        self.change()
        way = self._chance.choice(("sorryctl", "SIGHUP", "socket"))
        self.deeds[way] += 1
        began = time.monotonic()
        self._reload(way)
        self.took.append(time.monotonic() - began)
        self._look_at_extra()

    def _change(self, listeners: bool) -> list[str]:
        pick = self._chance.choice
        shape = self.shape
        fields: dict[str, dict[str, Any]] = {
            "members": {"members": pick(((0,), (1,), (0, 1), (1, 0)))},
            "weights": {"weight": pick((1, 2, 5))},
            **({"listeners": {"extra": not shape.extra}} if listeners else {}),
            "balance": {"balance": pick(("round_robin", "least_conn", "hash", "sticky"))},
            "announce": {"announce": pick(("1h", "2h"))},
            "certificates": {},
            "pages": {},
            **({"workers": {"workers": self._other_count()}} if len(self._workers) > 1 else {}),
        }  # fmt: skip
        changed = self._chance.sample(list(fields), self._chance.randrange(1, 4))
        for name in changed:
            self.shape = dataclasses.replace(self.shape, **fields[name])
        if "certificates" in changed:
            self._town.certify()
        if "pages" in changed:
            self._town.write_page(f"page {self._chance.random()}")
        return changed

    def _other_count(self) -> int:
        return self._chance.choice([n for n in self._workers if n != self.shape.workers])

    def _reload(self, way: str) -> None:
        daemon = self._town.daemon
        match way:
            case "sorryctl":
                done = daemon.ctl("reload")
                assert (done.returncode, done.stderr) == (0, ""), done
            case "SIGHUP":
                before = self._reloads()
                daemon.signal(signal.SIGHUP)
                until(lambda: self._reloads() > before, "the reload")
            case _:
                daemon.ask("daemon.reload")

    def _reloads(self) -> int:
        """How often the log has it, which is told when it has taken effect."""
        return self._town.daemon.log.count("daemon.reload")

    def _look_at_extra(self) -> None:
        """Come by the listener while it is there; who came by it is served without it too."""
        if self.shape.extra and not self._kept:
            self._kept = [visitor(self._town.extra) for _ in range(_KEPT)]
        for wire in tuple(self._kept):
            try:
                wire.send(request(_PAGE.encode()))
                reply = wire.answer()
                assert (reply.status, reply.body) == (200, body(_PAGE)), reply
                closes = reply.one("Connection") == b"close"
            except Exception as why:
                self.faults.append(f"by the extra listener: {why!r}")
                closes = True
            if closes:
                wire.close()
                self._kept.remove(wire)


def reload_under_load(reloads: Reloads, town: Town, count: int, many: int) -> Verdict:
    """So many reloads while visitors come, `many` of the commonest kinds; nothing is excused."""
    town.configure(reloads.shape)
    town.daemon.start()
    town.load(many)
    began = time.monotonic()
    with reloads.beginning():
        for _ in range(count):
            time.sleep(town.chance.random() * 2 * PAUSE)
            reloads.once()
    took = time.monotonic() - began
    town.let_go()
    town.daemon.stop()
    verdict = judge(town.words(), (), Ledger())
    slowest = sorted(reloads.took)
    told = (
        *verdict.told,
        f"{count} reloads in {took:.1f} s, median {slowest[count // 2] * 1000:.0f} ms, "
        f"max {slowest[-1] * 1000:.0f} ms: {dict(reloads.deeds)}",
    )
    return dataclasses.replace(
        verdict, violations=[*verdict.violations, *reloads.faults], told=told
    )
