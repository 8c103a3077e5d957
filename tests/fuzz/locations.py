"""Where answers point to: rewritten by whole URLs, or left as it is."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.fuzz import answers
from tests.fuzz.case import Case, FaultFound, Line, Tally, all_of, one_of
from tests.fuzz.mutations import mutated

from sorryd.model import Member
from sorryd.policy.locations import Reverse

_LOCATED: Final = (
    *(line for line in answers.GOOD if line.startswith((b"Loc", b"Ref", b"Set"))),
    b"URI: <http://a/app>", b"Location: /app/x", b"Content-Location: HTTP://A:80/app?q",
    b"Location: http://a:081/", b"Refresh: 5",
)  # fmt: skip
_URL_WORDS: Final = (
    b"//",
    b"/app",
    b"http://a/app",
    b":80",
    b"\\",
    b"?",
    b"#",
    b"Domain=",
    b"Path=",
    b";",
    b"<",
)


class Locations:
    """Where answers point to. Lines: ``line`` for each, and ``host``."""

    name = "locations"

    def __init__(self) -> None:
        self._reverse = Reverse((Member(url="http://a/app", host="a", port=80, path="/app"),))

    def make(self, random: Random) -> Case:
        """See case.Property."""
        lines = (mutated(random, line, _URL_WORDS) for line in random.choices(_LOCATED, k=2))
        host = Line("host", random.choice((b"", b"b.example", b"b:81", b"[::1]:80")))
        return (host, *(Line("line", line) for line in lines))

    def check(self, case: Case, tally: Tally) -> None:
        """Only values change, by no byte that was not there or in the host."""
        lines = list(all_of(case, "line"))
        there = one_of(case, "host")
        copy = list(lines)
        new = self._reverse.rewrite(lines, range(len(lines)), True, there)
        if lines != copy or len(new) != len(lines):
            raise FaultFound(f"rewritten: lines were touched: {lines} of {copy}")
        for before, after in zip(lines, new, strict=True):
            tally("rewritten" if before != after else "left as they are")
            if before.partition(b":")[:2] != after.partition(b":")[:2]:
                raise FaultFound(f"rewritten: another name: {after!r} for {before!r}")
            if len(after) > len(before) + (len(there) + 10) * (before.count(b"<") + 3):
                raise FaultFound(f"rewritten: too much: {after!r} for {before!r}")
            if set(after) - set(before) - set(b"https:/" + there):
                raise FaultFound(f"rewritten: new bytes: {after!r} for {before!r}")
