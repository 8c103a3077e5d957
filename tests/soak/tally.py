"""What visitors saw, counted by kind; and what must not have been."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Final

SHOWN: Final = 20
"""Violations of one kind that are told in full."""


class Tally:
    """`asked` has all targets that were begun, with the status of those that were answered whole.

    While it `is_calm`, nothing disturbs sorryd or its members, and only right answers will do.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.asked: dict[str, int | None] = {}
        self.is_calm = True
        self._numbers = itertools.count()

    def target(self, path: str) -> str:
        """A target that nobody else has asked for, which is asked for now."""
        target = f"{path}/{next(self._numbers)}"
        self.asked[target] = None
        return target

    def answered(self, target: str, status: int) -> None:
        """An answer came whole."""
        self.asked[target] = status

    def saw(self, kind: str, what: str, *, is_right: bool = False) -> None:
        """Count what a visitor saw: right, or an error that chaos excuses."""
        self.counts[kind] += 1
        if self.is_calm and not is_right:
            self.wrong(f"in calm: {kind}: {what}")

    def wrong(self, what: str) -> None:
        """What nothing excuses."""
        self.counts["VIOLATION"] += 1
        self.violations.append(what)

    def summary(self) -> str:
        """For a person."""
        lines = [f"{count:9} {kind}" for kind, count in sorted(self.counts.items())]
        shown = [f"  violation: {what[:400]}" for what in self.violations[:SHOWN]]
        return "\n".join((*lines, *shown))
