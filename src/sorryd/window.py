"""Windows: times of maintenance, as frozen values. Instants and durations are model.py's.

None of them is ever part of a cycle, so the garbage collector need not look at ten thousand.
"""

from __future__ import annotations

import enum
from typing import Final

from sorryd.model import Value

UNSAFE: Final = "unsafe"
"""In `Scope.methods`: every method that is not safe (RFC 9110 §9.2.1)."""


class WindowKind(enum.StrEnum):
    """Planned by ``schedule``, or by hand with ``down``."""

    PLANNED = "planned"
    MANUAL = "manual"


class GiveUp(enum.StrEnum):
    """What to do when the members are not healthy in time after a window."""

    OPEN = "open"
    STAY = "stay"


class Author(Value, gc=False, frozen=True):
    """Who the kernel says the caller is (SO_PEERCRED)."""

    uid: int
    name: str
    pid: int


class Scope(Value, gc=False, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a window covers; empty is all of its sites.

    `paths` are prefixes of the path, `members` URLs. `methods` holds methods, or the word
    `UNSAFE`. A window with `members` takes those out and nothing else; `paths` and `methods`
    of one window must both match.
    """

    paths: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the site."""
        return not (self.paths or self.members or self.methods)


class Saying(Value, gc=False, frozen=True, kw_only=True):
    """A reason in one language; `language` is a tag of RFC 5646 in lower case."""

    language: str
    text: str


class Recovery(Value, gc=False, frozen=True, kw_only=True):
    """The instant at which a site was found healthy, after a window for every site."""

    site: str
    at: float


class Window(Value, gc=False, frozen=True):
    """A time of maintenance, half-open: ``[start, end)``.

    A window acts only while neither `ended` nor `cancelled` is set; both are final.
    `released` names sites that ``up SITE`` took out of a window for every site, or that were
    found healthy after it: final too. Of the latter `recovered` says when.

    With `every`, an RRULE, it is a *series* and never acts itself: `start` and `end` are those
    of its first instance, whose length all have. An *instance* is a window of its own, with the
    id ``ID@FROM``; `series` is the ID, and `recurs` the instant at which the rule has it, which
    stays when its times are changed. `renewed` is the instant at which a series was changed last:
    what would have been over by then never was one of its instances.

    With `until_healthy`, it holds its sites at `end` for so long until their members are
    healthy; then `verified` and `ended` are set. `gave_up` is the instant at which that was in
    vain: with `give_up` open it has ended, else it holds until it is ended by hand.

    `sequence` counts the changes (RFC 5545 §3.8.7.4) that operators made; `changed` is the instant
    of the last one.
    """

    id: str
    site: str | None  # None: every site, later ones too
    kind: WindowKind
    start: float
    end: float | None  # None: open-ended (only ``down``)
    reason: str
    timezone: str
    author: Author
    created: float
    drain: float | None = None  # None: the site's
    until_text: str | None = None  # UNTIL that is no time, shown to visitors as it is
    ended: float | None = None
    cancelled: float | None = None
    released: tuple[str, ...] = ()
    recovered: tuple[Recovery, ...] = ()
    reasons: tuple[Saying, ...] = ()  # in other languages than `reason`
    every: str | None = None
    series: str | None = None
    recurs: float | None = None
    renewed: float | None = None
    until_healthy: float | None = None
    give_up: GiveUp = GiveUp.STAY
    verified: float | None = None
    gave_up: float | None = None
    scope: Scope = Scope()
    sequence: int = 0
    changed: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether it can never act again."""
        return self.ended is not None or self.cancelled is not None
