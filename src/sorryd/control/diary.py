"""What the daemon observes goes into the journal: once, in order, and as soon as that takes it.

Nothing waits for it: what cannot be written now is kept, and tried again at each look. The verbs
of the lines are here; those of deeds are the methods of the control protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.control.turn import Turn
from sorryd.facts import DownReminded, Fact, HealthTurned, MembersTurned, PhaseTurned
from sorryd.journal import HistoryEntry
from sorryd.model import Cause, Health
from sorryd.policy import outages, reminders
from sorryd.policy.health import any_up
from sorryd.policy.turns import governing, is_news, turn
from sorryd.policy.windows import Standing
from sorryd.snapshot import SiteView
from sorryd.window import Window

PHASE: Final = "site.phase"
HEALTH: Final = "member.health"
LOST: Final = "site.members_lost"
BACK: Final = "site.members_back"
REMINDER: Final = "down.reminder"

AT_ONCE: Final = 200
"""Lines that are written in one transaction."""

MOST: Final = 1000
"""Lines that wait, from which on turns of members' health are lost rather than kept."""

_log = Logger()

Find = Callable[[str], Window | None]
F = TypeVar("F", bound=Fact)


class Appends(Protocol):
    """What the diary needs of a journal."""

    def append(self, entries: tuple[HistoryEntry, ...]) -> Deferred[None]:
        """Write them all or nothing; fires when they are on disk."""


class Diary:
    """Knows what was told last of each site and member; `told` is that of earlier runs."""

    def __init__(self, journal: Appends, told: Iterable[HistoryEntry]) -> None:
        self._journal = journal
        self._told = {_key(entry): entry for entry in told}
        self._standings: dict[str, Standing] = {}  # at the look before
        self._up_since: dict[str, float] = {}  # by site: the moment since which a member is up
        self._waiting: list[HistoryEntry] = []
        self._is_writing = False
        self._lost = 0  # turns of health that were not kept
        self._is_behind = False  # the journal did not take something, and the log says so

    def stands(self, site: str, standing: Standing, now: float, find: Find) -> None:
        """At the instant `now`, `site` stands like this; `find` finds windows by their ids."""
        before = self._standings.get(site)
        if before is standing:
            return
        self._standings[site] = standing
        last = self._last(PhaseTurned, PHASE, site)
        if not is_news(last, standing):
            return
        name = governing(standing)
        window = None if name is None else find(name)
        left = None if before is None or before.window is None else find(before.window)
        self.note(
            HistoryEntry(
                at=now,
                verb=PHASE,
                site=site,
                window=name,
                reason=standing.reason or (window.reason if window is not None else ""),
                fact=turn(site, last, before, left, standing, window, now),
            )
        )

    def remind(self, site: str, standing: Standing, limit: float, now: float, find: Find) -> bool:
        """Whether it is time to warn of a down of `site` that has no end; then that is noted."""
        since = reminders.open_since(standing)
        last = self._told.get((REMINDER, site, ""))
        before = None if last is None else last.at
        if since is None or not reminders.is_due(since, limit, before, now):
            return False
        window = None if standing.window is None else find(standing.window)
        self.note(
            HistoryEntry(
                at=now,
                verb=REMINDER,
                site=site,
                window=standing.window,
                reason=standing.reason or "",
                fact=DownReminded(
                    since=since,
                    limit=limit,
                    cause=standing.cause,
                    reasons=standing.reasons,
                    planner=None if window is None else window.author,
                ),
            )
        )
        return True

    def members(self, view: SiteView, standing: Standing, now: float, moment: float) -> None:
        """At the moment `moment`, the instant `now`, a site that stands so has these members."""
        site, up_for = view.site.name, None
        if any_up(view.members):
            up_for = moment - self._up_since.setdefault(site, moment)
        else:
            self._up_since.pop(site, None)
        since = self._outage(site)
        if outages.has_begun(since, standing, up_for):
            fact = MembersTurned(
                since=now, why=self._faults(view), phase=standing.phase, cause=Cause.MEMBERS
            )
            self.note(HistoryEntry(at=now, verb=LOST, site=site, fact=fact))
        elif since is not None and up_for is not None and outages.is_over(up_for):
            fact = MembersTurned(
                since=since, back=now - up_for, phase=standing.phase, cause=standing.cause
            )
            self.note(HistoryEntry(at=now, verb=BACK, site=site, fact=fact))

    def edges(self) -> Iterator[float]:
        """The moments at which outages may be over."""
        for site, up_since in self._up_since.items():
            yield outages.next_look(self._outage(site), up_since)

    def forget(self, site: str) -> None:
        """A site is gone: should it come back, nobody has looked at it meanwhile."""
        self._standings.pop(site, None)
        self._up_since.pop(site, None)

    def turned(self, turn: Turn, now: float) -> None:
        """A member's health has turned. A trial tells nothing, and a rest after it nothing new."""
        last = self._last(HealthTurned, HEALTH, turn.site, turn.url)
        before = Health.UP if last is None else last.after
        if turn.after is Health.TRIAL or turn.after is before:
            return
        fact = HealthTurned(before=before, after=turn.after, why=turn.why)
        self.note(HistoryEntry(at=now, verb=HEALTH, site=turn.site, member=turn.url, fact=fact))

    def note(self, entry: HistoryEntry) -> None:
        """Keep `entry` until the journal has it."""
        if entry.fact is not None:
            self._told[_key(entry)] = entry
        if len(self._waiting) >= MOST and entry.verb == HEALTH:
            self._lost += 1
        else:
            self._waiting.append(entry)

    def write(self) -> None:
        """Give the journal what waits, unless it is at that already."""
        if self._is_writing or not self._waiting:
            return
        self._is_writing = True
        batch = tuple(self._waiting[:AT_ONCE])
        self._journal.append(batch).addCallbacks(lambda _: self._written(len(batch)), self._refused)

    def _last(self, kind: type[F], verb: str, site: str, member: str = "") -> F | None:
        """What was told last of a kind."""
        entry = self._told.get((verb, site, member))
        return entry.fact if entry is not None and isinstance(entry.fact, kind) else None

    def _outage(self, site: str) -> float | None:
        return outages.lasting(
            self._last(MembersTurned, LOST, site), self._last(MembersTurned, BACK, site)
        )

    def _faults(self, view: SiteView) -> str:
        return outages.faults(
            [
                outages.fault(one, self._last(HealthTurned, HEALTH, view.site.name, one.member.url))
                for one in view.members
            ]
        )

    def _written(self, count: int) -> None:
        self._is_writing = False
        del self._waiting[:count]
        if self._is_behind:
            self._is_behind = False
            _log.info(
                "the journal takes what sorryd observes again; {lost} turns of members'"
                " health were lost",
                lost=self._lost,
            )
            self._lost = 0
        self.write()

    def _refused(self, why: Failure) -> None:
        self._is_writing = False
        if not self._is_behind:
            self._is_behind = True
            _log.error(
                "what sorryd observes is not in the journal yet: {why}", why=why.getErrorMessage()
            )


def _key(entry: HistoryEntry) -> tuple[str, str, str]:
    return entry.verb, entry.site or "", entry.member or ""
