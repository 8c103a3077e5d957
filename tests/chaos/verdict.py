"""What came of it all: every failure that nothing excuses, and every word that was not kept."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tests.chaos.killer import Death
from tests.chaos.ledger import ALLOWED, Ledger
from tests.chaos.operator import Operator
from tests.chaos.words import Counted, Failed, Seen, Word
from tests.end_to_end.daemon import Daemon

SHOWN: Final = 30


@dataclasses.dataclass(frozen=True)
class Verdict:
    """`violations` say what must not have been, each in a line; the rest is for a person."""

    violations: Sequence[str]
    requests: int
    excused: int
    told: Sequence[str]

    def __str__(self) -> str:
        shown = [f"  VIOLATION: {one[:600]}" for one in self.violations[:SHOWN]]
        return "\n".join((*self.told, f"{len(self.violations)} violations", *shown))


def judge(words: Sequence[Word], deaths: Sequence[Death], ledger: Ledger) -> Verdict:
    """Judge what visitors and probes wrote."""
    failed = [word for word in words if isinstance(word, Failed)]
    seen = [word for word in words if isinstance(word, Seen)]
    counted = [word for word in words if isinstance(word, Counted)]
    lost = [one for one in failed if not any(death.excuses(one) for death in deaths)]
    violations = [f"{one.kind} by port {one.port}: {one.why} {_when(one)}" for one in lost]
    violations += [why for one in seen if (why := ledger.wrong(one)) is not None]
    requests = sum(sum(one.right.values()) for one in counted)
    told = [
        f"{requests} requests, {len(failed)} failed, {len(failed) - len(lost)} of them excused",
        *(line for one in counted for line in _table(one)),
    ]
    if seen:
        told += _phases(seen, ledger)
    return Verdict(violations, requests, len(failed) - len(lost), told)


def _when(failed: Failed) -> str:
    return f"(opened {failed.opened:.3f}, began {failed.began:.3f}, ended {failed.ended:.3f})"


def _table(counted: Counted) -> list[str]:
    return [
        f"  {kind:18}{number:8}  slowest {counted.slowest[kind] * 1000:7.0f} ms"
        for kind, number in sorted(counted.right.items())
    ]


def _phases(seen: Sequence[Seen], ledger: Ledger) -> list[str]:
    certain = sum(ledger.is_certain(one) for one in seen)
    widths = sorted((one.answered - one.asked) * 1000 for one in seen)
    middle, ninety_nine = widths[len(widths) // 2], widths[len(widths) * 99 // 100]
    lateness = ledger.lateness(seen)
    late = sorted(by * 1000 for by in lateness.values()) or [0.0]
    return [
        f"{len(seen)} answers to probes, {certain} of them judged; they took "
        f"{middle:.1f} ms, p99 {ninety_nine:.0f}, max {widths[-1]:.0f}",
        f"{len(lateness)} edges of windows: an old answer was asked for {late[len(late) // 2]:.1f} "
        f"ms after them, at the most {late[-1]:.1f}",
        *(f"  late: {edge} by {by:.3f} s" for edge, by in lateness.items() if by > ALLOWED),
    ]


def kept_words(daemon: Daemon, operators: Iterable[Operator]) -> list[str]:
    """Of what was acknowledged, that of which the daemon knows nothing any more."""
    entries = daemon.ask("history.list")["entries"]
    windows = {one["id"]: one for one in daemon.ask("window.list", {"past": True})}
    faults = []
    for operator in operators:
        have = Counter((entry["action"], entry["window"]) for entry in entries)
        for (action, window), times in Counter(operator.deeds).items():
            if window is not None and have[action, window] < times:
                faults.append(f"not in the history: {action} {window}, {times} times")
        for name, end in operator.windows.items():
            faults += _window_faults(name, windows.get(name), end)
    return faults


def _window_faults(name: str, found: dict[str, Any] | None, end: str) -> list[str]:
    if found is None:
        return [f"the window {name} is lost"]
    return [] if found["phase"] == end else [f"{name} is {found['phase']}, not {end}"]
