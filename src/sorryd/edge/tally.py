"""What the data path counts: plain numbers, added to where a thing is known anyway.

Nobody is told; `SiteEdge.numbers` is asked. A request costs some ten additions, a third of a
microsecond, with an access log or without.
"""

from __future__ import annotations

from typing import Final, Protocol

from sorryd.edge.access import End
from sorryd.model import Cause, Phase
from sorryd.numbers import BOUNDS, CAUSES, DIGITS, PHASES, Answered, Ended, MemberNumbers

COLUMNS: Final = {phase: at * DIGITS for at, phase in enumerate(PHASES)}
"""Where the columns of a phase begin."""

# As a tuple of any length: a compiled module unpacks one of known length whenever it is read.
_BOUNDS: Final[tuple[float, ...]] = BOUNDS
_LAST: Final = len(BOUNDS)


def first_digit(answer: bytes) -> int:
    """That of its status code; it begins with ``HTTP/1.1``."""
    return answer[9] - 0x30


class Tally:
    """Of the requests of one site that came to one member, or to none. Mutable.

    See numbers.py for what is counted.
    """

    __slots__ = (
        "answers", "connects", "durations", "failovers", "failures", "retries", "seconds", "sent",
    )  # fmt: skip

    def __init__(self) -> None:
        self.answers = [0] * (len(PHASES) * DIGITS)
        self.durations = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.sent = 0
        self.connects = self.failovers = self.failures = self.retries = 0

    def count(self, place: int, took: float) -> None:
        """A request is over, after so many seconds; `place` is that of its answer."""
        answers, durations = self.answers, self.durations
        answers[place] = answers[place] + 1  # "+=" is compiled as one of any two objects
        bounds, at = _BOUNDS, 0
        while at < _LAST and took > bounds[at]:  # most are quick
            at += 1
        durations[at] = durations[at] + 1
        self.seconds += took

    def answered(self) -> Answered:
        """What is counted now."""
        return Answered(
            answers=tuple(self.answers),
            durations=tuple(self.durations),
            seconds=self.seconds,
            sent=self.sent,
        )


class SiteTally:
    """Of one site. Mutable. `column` is that of its phase; `itself` is of no member."""

    __slots__ = (
        "accepted", "apologies", "broken_handshakes", "column", "ended", "handshakes", "itself",
        "received", "tunnels", "turned_away",
    )  # fmt: skip

    def __init__(self) -> None:
        self.itself = Tally()
        self.column = COLUMNS[Phase.LIVE]
        self.received = self.accepted = self.turned_away = 0
        self.handshakes = self.broken_handshakes = 0
        self.tunnels = 0
        self.apologies = dict.fromkeys(Cause, 0)
        self.ended = dict.fromkeys(End, 0)

    def apologised(self, cause: Cause, answer: bytes) -> None:
        """A request was answered by an apology in the turn in which it came: it took no time."""
        itself, apologies = self.itself, self.apologies
        answers, durations = itself.answers, itself.durations
        place = self.column + first_digit(answer)
        answers[place] = answers[place] + 1
        durations[0] = durations[0] + 1
        itself.sent += len(answer)
        apologies[cause] = apologies[cause] + 1

    def by_cause(self) -> tuple[int, ...]:
        """See SiteNumbers.apologies."""
        return tuple(self.apologies[cause] for cause in CAUSES)

    def by_end(self) -> tuple[Ended, ...]:
        """See SiteNumbers.ended; those that there were."""
        return tuple(
            Ended(how=end.value, requests=count) for end, count in self.ended.items() if count
        )


class Counted(Protocol):
    """What is asked of a member's pool: see members.py."""

    tally: Tally
    active: int

    @property
    def url(self) -> str: ...
    @property
    def idle(self) -> int: ...


def member_numbers(pool: Counted) -> MemberNumbers:
    """What is counted of a member, and what is so now."""
    tally = pool.tally
    return MemberNumbers(
        url=pool.url,
        answered=tally.answered(),
        connects=tally.connects,
        retries=tally.retries,
        failovers=tally.failovers,
        failures=tally.failures,
        in_flight=pool.active,
        idle=pool.idle,
    )
