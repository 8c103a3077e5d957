"""Active checks: asks each member of each site that has a `check`, again and again.

While a site without one is being verified after a window, a connection is its check.

    prober = Prober(reactor, edge.connector, report)
    prober.apply(snapshot)  # each snapshot that is published, as the edge gets it
    prober.stop()           # nothing is left of it

`edge.connector(seconds)` makes what connects to members within so many seconds, with the names
and the TLS of the data path. Checks are none of its exchanges: no pool knows of them.

What is found goes up as `CheckPassed` and `CheckFailed`; what follows of it is decided in
policy/health.py. Members in maintenance are not checked, those in drain are, as in HAProxy. A
member that two sites have is two members.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from sorryd.edge.member_interfaces import Connector
from sorryd.edge.probe import Probe
from sorryd.model import Check, CheckKind, Member, MemberState, Value
from sorryd.reports import CheckFailed, CheckPassed, Report
from sorryd.snapshot import SiteView, Snapshot

CONNECTION: Final = Check(kind=CheckKind.TCP, interval=1.0)
"""The check of members that have none, while they are verified."""

Key = tuple[str, str]  # a member: its site and URL


class Prober:
    """All checks of one daemon.

    `clock` must be monotonic. `connector` gets seconds. `chance` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        clock: IReactorTime,
        connector: Callable[[float], Connector],
        report: Callable[[Report], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.clock = clock
        self.report = report
        self.chance = chance
        self._connector = connector
        self._connectors: dict[float, Connector] = {}  # by their timeouts
        self._rounds: dict[Key, _Rounds] = {}
        self._is_stopped = False

    def apply(self, snapshot: Snapshot) -> None:
        """Check the members of `snapshot` from now on."""
        if self._is_stopped:
            return
        before, self._rounds = self._rounds, {}
        for view in snapshot.sites:
            check = view.site.check or (CONNECTION if view.verifying else None)
            if check is not None:
                self._apply_site(view, check, before)
        for rounds in before.values():
            rounds.stop()

    def _apply_site(self, view: SiteView, check: Check, before: dict[Key, _Rounds]) -> None:
        site = view.site
        for one in view.members:
            key = site.name, one.member.url
            task = _Task(
                site=site.name, member=one.member, check=check, head_limit=site.max_header_bytes
            )
            rounds = before.get(key)
            if rounds is not None and rounds.task == task:
                del before[key]
            else:
                rounds = _Rounds(self, task, self._connecting(check.timeout))
            rounds.pause(one.state is MemberState.MAINT)
            self._rounds[key] = rounds

    def _connecting(self, timeout: float) -> Connector:
        known = self._connectors.get(timeout)
        if known is None:
            known = self._connectors[timeout] = self._connector(timeout)
        return known

    def stop(self) -> None:
        """Check nothing any more."""
        self._is_stopped = True
        for rounds in self._rounds.values():
            rounds.stop()
        self._rounds.clear()


class _Task(Value, frozen=True):
    """What is checked, and how."""

    site: str
    member: Member
    check: Check
    head_limit: int


class _Rounds:
    """The checks of one member, one after the other."""

    def __init__(self, prober: Prober, task: _Task, connector: Connector) -> None:
        self.task = task
        self._prober = prober
        self._connector = connector
        # So that not all members of all sites are asked in the same moment.
        self._first = prober.chance() * task.check.interval
        self._next: IDelayedCall | None = None
        self._probe: Probe | None = None
        self._began = 0.0  # the moment of the last
        self._due = 0.0  # ... and of the next

    def pause(self, is_wanted: bool) -> None:
        """Check no more, or again: then at once, since nothing is known of the member."""
        if is_wanted:
            self.stop()
            self._first = 0.0
        elif self._next is None and self._probe is None:
            self._next = self._prober.clock.callLater(self._first, self._begin)

    def stop(self) -> None:
        """Check no more."""
        call, self._next = self._next, None
        if call is not None:
            call.cancel()
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.cancel()

    def _begin(self) -> None:
        prober, check = self._prober, self.task.check
        self._next = None
        swing = check.jitter * (2 * prober.chance() - 1)
        self._began = prober.clock.seconds()
        self._due = self._began + check.interval * (1 + swing)
        self._probe = Probe(check, self.task.head_limit, prober.clock, self._judged, self._over)
        self._probe.start(self._connector, self.task.member)

    def _judged(self, why: str | None) -> None:
        site, url = self.task.site, self.task.member.url
        if why is None:
            self._prober.report(CheckPassed(site=site, url=url, began=self._began))
        elif why:  # else it is sorryd that could not, which says nothing of the member
            self._prober.report(CheckFailed(site=site, url=url, why=why))

    def _over(self) -> None:
        clock = self._prober.clock
        self._probe = None
        self._next = clock.callLater(max(0.0, self._due - clock.seconds()), self._begin)
