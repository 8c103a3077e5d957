"""What an edge has counted, as it tells the control side: frozen messages.

Counters count since the process began, and never go down. Gauges say what is now. What several
processes tell is added up by policy/totals.py.
"""

from __future__ import annotations

from typing import Final

from sorryd.model import Cause, Phase, Value

PHASES: Final = tuple(Phase)
CAUSES: Final = tuple(Cause)

CLASSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
"""Of status codes (RFC 9110 §15); ``none``: no answer was begun."""

DIGITS: Final = 10
"""Places that a phase has among answers: one for each first digit of a code, 0 for none. Members
may say 999; RFC 9110 §15 has such an answer treated as a 5xx, and `by_class` tells it so."""

BOUNDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of the buckets of durations, in seconds, each included; one more has the rest."""


class Answered(Value, frozen=True, gc=False):
    """Requests that are over, each counted once: as many as the access log has lines.

    `answers` are by phase and first digit of the code, as counted: see `by_class`.
    `durations` are by bucket of `BOUNDS`, from the request's head to the end of its answer, and
    `seconds` is the sum of them. `sent` are bytes of answers, their heads too, also of those that
    are not over yet. An upgraded connection was over as a request when it became a tunnel; what
    passes in it is among the bytes.
    """

    answers: tuple[int, ...] = (0,) * (len(PHASES) * DIGITS)
    durations: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)
    seconds: float = 0.0
    sent: int = 0


class MemberNumbers(Value, frozen=True, gc=False):
    """Of one member: of the requests for which it was asked last, however they ended.

    Counters: `connects` are attempts to connect to it; `retries` requests that it got again since
    a kept connection had ended; `failovers` those that went to another member since this one
    failed; `failures` what it was blamed for. Gauges: `in_flight` are its requests and tunnels,
    `idle` the connections that are kept for the next ones.
    """

    url: str
    answered: Answered = Answered()
    connects: int = 0
    retries: int = 0
    failovers: int = 0
    failures: int = 0
    in_flight: int = 0
    idle: int = 0


class Ended(Value, frozen=True, gc=False):
    """Requests that ended neither by their whole answer nor by an apology that was due.

    `how` is a word of edge/access.py.
    """

    how: str
    requests: int


class SiteNumbers(Value, frozen=True, gc=False):
    """Of one site; `itself` are the requests for which no member was asked.

    Counters: `received` are bytes that visitors sent, within TLS; `accepted` connections;
    `turned_away` those over `max_connections`; `handshakes` of TLS that were completed, and
    `broken_handshakes` those that were not. `apologies` are by cause, as `CAUSES` has them.
    Gauges: `open` are visitors' connections, tunnels too, `tunnels` those alone, and `waiting`
    requests that no member has room for.
    """

    site: str
    itself: Answered = Answered()
    members: tuple[MemberNumbers, ...] = ()
    received: int = 0
    accepted: int = 0
    turned_away: int = 0
    handshakes: int = 0
    broken_handshakes: int = 0
    apologies: tuple[int, ...] = (0,) * len(CAUSES)
    ended: tuple[Ended, ...] = ()
    open: int = 0
    tunnels: int = 0
    waiting: int = 0


class EdgeNumbers(Value, frozen=True, gc=False):
    """Of one edge, or of several together."""

    sites: tuple[SiteNumbers, ...] = ()


def place(phase: Phase, kind: str) -> int:
    """Where among `Answered.answers` a phase and one of `CLASSES` are."""
    return PHASES.index(phase) * DIGITS + CLASSES.index(kind)


def by_class(answered: Answered, phase: Phase) -> tuple[int, ...]:
    """The answers of a phase, as `CLASSES` has them."""
    first = PHASES.index(phase) * DIGITS
    last = first + len(CLASSES) - 1
    return (*answered.answers[first:last], sum(answered.answers[last : first + DIGITS]))
