"""Visitors say anything: sorryd and its members never disagree about what they asked.

Lines: ``site`` (see town.py), ``member`` (a manner), ``says`` for each piece of the stream, and
``ends`` with FIN or reset; without it, the visitor falls silent. A piece that ``adds`` comes right
behind the one before it, so that no member can answer in between. What it ``reads`` is
what comes, always; or late, when it has said all; or never.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.edge.reading import read, settled
from tests.fuzz import requests
from tests.fuzz.case import Case, FaultFound, Line, Tally, one_of
from tests.fuzz.judging import Judge
from tests.fuzz.members import EchoMember, Log, Manner
from tests.fuzz.mutations import bursts, mutated, said
from tests.fuzz.town import Town, Towns

FIN: Final = b"FIN"
RESET: Final = b"reset"
SILENCE: Final = b"silence"
ALWAYS: Final = b"always"
LATE: Final = b"late"
NEVER: Final = b"never"
_MANNERS: Final[Sequence[Manner]] = (
    *(Manner.LENGTH,) * 5, *Manner, Manner.SWITCH, Manner.BEGUN, Manner.BEGUN,
)  # fmt: skip
_TRICKS: Final = ((0,), (0, 0), (0, 0, 0, 0), (1, 0), (2, 0), (0, 1, 0), (0, 2, 0), (4, 1))


class VisitorSide:
    """See the module."""

    name = "visitor"

    def __init__(self) -> None:
        self._towns = Towns()

    def make(self, random: Random) -> Case:
        """See case.Property."""
        data = requests.stream(random, random.choice(_TRICKS))
        if random.random() < 0.5:
            data = mutated(random, data, requests.WORDS)
        if random.random() < 0.05:
            data = random.randbytes(random.randint(1, 60)) + data
        return (
            Line("site", random.choice((b"plain", b"rich"))),
            Line("member", random.choice(_MANNERS).value),
            Line("reads", random.choices((ALWAYS, LATE, NEVER), (6, 1, 1))[0]),
            *said(random, data),
            Line("ends", random.choice((FIN, FIN, RESET, SILENCE, SILENCE))),
        )

    def check(self, case: Case, tally: Tally) -> None:
        """See case.Property."""
        manner = Manner(one_of(case, "member", Manner.LENGTH.value))
        with self._towns.play(one_of(case, "site")) as town:
            visit = Visit(town, manner)
            pieces = tuple(bursts(case))
            visit.play(pieces, one_of(case, "ends", SILENCE), one_of(case, "reads", ALWAYS))
            sent = b"".join(itertools.chain(*pieces))
            check_cuts(tuple(itertools.chain(*pieces)), sent)
            Judge(visit.log, town, sent, visit.got, visit.end, visit.was_cut).judge(tally)


class Visit:
    """One visitor, and the members that the requests come to."""

    def __init__(self, town: Town, manner: Manner) -> None:
        self._town = town
        self._visitor = town.visitor()
        self._members: list[EchoMember] = []
        self.log = Log(manner)
        self.got = b""
        self.end = SILENCE

    @property
    def was_cut(self) -> bool:
        """Whether sorryd reset the connection before FIN: what came is not whole then."""
        return self._visitor.is_aborted and not self._visitor.had_fin

    def play(self, pieces: Sequence[Sequence[bytes]], end: bytes, reads: bytes) -> None:
        """All of it, until nothing is left."""
        self.end = RESET if reads == NEVER else end
        if reads != ALWAYS:
            self._visitor.stops_reading()
        for burst in pieces:
            self._visitor.says(*burst)
            self._attend()
        if end == FIN:
            self._visitor.ends()
        elif end == RESET:
            self._attend()
            self._visitor.resets()
        self.log.is_late = False
        self._attend()
        if reads == LATE:
            self._read_on()
        self._town.rests(self._attend)
        self.got = self._visitor.gets()

    def _read_on(self) -> None:
        """Take what was not taken yet, in two gulps."""
        self._visitor.reads(self._visitor.waiting // 2)
        self._attend()
        self._visitor.reads()
        self._attend()

    def _attend(self) -> None:
        """Let members hear and answer until there is nothing more to hear."""
        town, members = self._town, self._members
        while True:
            members += [EchoMember(wire, self.log) for wire in town.made[len(members) :]]
            heard = [member.attend() for member in members]
            if not any(heard):
                return


def check_cuts(pieces: Sequence[bytes], sent: bytes) -> None:
    """How a stream is cut makes no difference to what is read from it."""
    whole, cut = settled(read([sent])), settled(read(pieces))
    if cut != whole:
        raise FaultFound(f"cut otherwise it is another: {cut} for {whole}")
