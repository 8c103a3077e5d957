"""One site at the edge: its standing by the clock, its members, its visitors.

It reads the last `SiteView` that was published and owns no truth about health or windows.
Between two edges of the site's windows, `apology` costs one clock reading and two comparisons.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable

from twisted.logger import Logger

from sorryd.edge.drain import Drain
from sorryd.edge.interfaces import Connector, Guest
from sorryd.edge.interfaces import Pool as AnyPool
from sorryd.edge.members import Pool
from sorryd.edge.wheel import Wheel
from sorryd.model import (
    Cause,
    Health,
    Member,
    Phase,
    Site,
)
from sorryd.policy.apology import Facts, ReadyApology, compile_page, render
from sorryd.policy.balancing import Picker, tiers
from sorryd.policy.windows import Standing, standing
from sorryd.reports import (
    Active,
    EdgePassed,
    MemberAnswered,
    MemberFailed,
    Report,
)
from sorryd.snapshot import (
    SiteView,
)

log = Logger()


class _OnTrial:
    """Which members on trial have a request in flight, as the picker asks it."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}

    def __contains__(self, url: object) -> bool:
        return isinstance(url, str) and self.pools[url].trying > 0


class SiteEdge:
    """What connections ask of their site. Mutable: one per site and process."""

    pick: Callable[[tuple[int, ...]], int | None]

    def __init__(
        self,
        view: SiteView,
        wheel: Wheel,
        now: Callable[[], float],
        connector: Connector,
        report: Callable[[Report], None],
    ) -> None:
        self.wheel = wheel
        self.now = now
        self.stopping = False
        self.pools: tuple[Pool, ...] = ()
        self.visitors: set[Guest] = set()
        self._connector = connector
        self._report = report
        self._standing = Standing(phase=Phase.LIVE)
        self._apology: ReadyApology | None = None
        self._for_members: dict[int, ReadyApology] = {}  # by status
        self._holds_from = math.inf
        self._holds_until = -math.inf
        self._drain = Drain(wheel, self._expire)
        self._on_trial = _OnTrial()
        self.view = view
        self._picker = Picker(tiers(view.members), view.members)
        self.apply(view)

    # --- from the control side ---

    def apply(self, view: SiteView) -> None:
        """Serve by `view` from now on."""
        site = view.site
        if site != self.view.site:
            self._apology = None  # rendered anew, as the site says now
            self._for_members.clear()
        self.view = view
        self.timeouts = site.timeouts
        self.max_header_bytes = site.max_header_bytes
        self.max_body_bytes = site.max_body_bytes
        self.preserve_host = site.preserve_host
        self._apply_members(view)
        self._page = compile_page(site.sorry_template)
        self.look(self.now())

    def _apply_members(self, view: SiteView) -> None:
        site = view.site
        before = {pool.member: pool for pool in self.pools}
        self.pools = tuple(
            before.pop(v.member) if v.member in before else self._pool(site, v.member)
            for v in view.members
        )
        for pool in before.values():
            pool.close()
        self._on_trial.pools = {pool.member.url: pool for pool in self.pools}
        self._picker = self._picker.following(view.members)
        self.pick = functools.partial(self._picker.pick, self._on_trial)
        for pool, member in zip(self.pools, view.members, strict=True):
            pool.on_trial = member.health is Health.TRIAL
            pool.is_up = member.health is Health.UP
            pool.timeouts = site.timeouts
            pool.head_limit = site.max_header_bytes

    def _pool(self, site: Site, member: Member) -> Pool:
        return Pool(member, site.timeouts, site.max_header_bytes, self.wheel, self._connector)

    # --- the phase ---

    def apology(self) -> ReadyApology | None:
        """What a new request gets now instead of a member; None: it goes to a member."""
        now = self.now()
        if not self._holds_from <= now < self._holds_until:
            self.look(now)
            self._report(EdgePassed(site=self.view.site.name, at=now))
        return self._apology

    def look(self, now: float) -> None:
        """Work out the standing at the instant `now`, and act on what has changed."""
        site = self.view.site
        before = self._standing
        held = standing(self.view.windows, site.name, site.drain, site.announce, now)
        self._standing = held
        self._holds_from, self._holds_until = held.holds_from, held.holds_until
        if held.phase.serves:
            self._apology = None
        elif self._apology is None or not _reads_the_same(before, held):
            self._apology = self._rendered(held)
        self._drain.follow(held)

    def _rendered(self, held: Standing) -> ReadyApology:
        site = self.view.site
        assert held.cause is not None
        return self._render(
            Facts(
                site=site.name,
                cause=held.cause,
                timezone=site.timezone,
                status=site.sorry_status,
                reason=held.reason,
                since=held.since,
                until=held.until,
                until_text=held.until_text,
                retry_after=site.retry_after,
            )
        )

    def _render(self, facts: Facts) -> ReadyApology:
        apology = render(self._page, facts)
        if apology.fault is not None:
            log.error(
                "site {site}: {page}: {fault}; a built-in page is served instead",
                site=facts.site, page=self.view.site.sorry_page, fault=apology.fault,
            )  # fmt: skip
        return ReadyApology(apology)

    def apology_for_members(self, status: int | None) -> ReadyApology:
        """The apology where members failed; `status` where only this request did."""
        site = self.view.site
        code = site.sorry_status if status is None or not self._is_anyone_left() else status
        ready = self._for_members.get(code)
        if ready is None:
            ready = self._for_members[code] = self._render(
                Facts(
                    site=site.name,
                    cause=Cause.MEMBERS,
                    timezone=site.timezone,
                    status=code,
                    retry_after=site.retry_after,
                )
            )
        return ready

    def _is_anyone_left(self) -> bool:
        plan = self._picker.plan
        return bool(plan.primary or plan.standby)

    def _expire(self) -> None:
        """Drain is over: who is still in flight is cut (INTERFACE: and logged)."""
        cut = sum(visitor.expire() for visitor in tuple(self.visitors))
        if cut:
            log.warn(
                "site {site}: {cut} requests still in flight at the end of drain were cut",
                site=self.view.site.name, cut=cut,
            )  # fmt: skip

    # --- members ---

    def failed(self, pool: AnyPool, why: str) -> None:
        """A member refused a connection or broke an answer."""
        self._report(MemberFailed(site=self.view.site.name, url=pool.member.url, why=why))

    def answered(self, pool: AnyPool) -> None:
        """A member that was not known to be up answered."""
        self._report(MemberAnswered(site=self.view.site.name, url=pool.member.url))

    def active(self) -> Iterable[Active]:
        """Requests in flight at each member."""
        name = self.view.site.name
        return (Active(site=name, url=p.member.url, requests=p.active) for p in self.pools)

    # --- visitors ---

    def arrived(self, guest: Guest) -> None:
        """A connection begins."""
        self.visitors.add(guest)
        self.wheel.add(guest)

    def left(self, guest: Guest) -> None:
        """... and ends."""
        self.visitors.discard(guest)
        self.wheel.discard(guest)

    @property
    def max_connections(self) -> int:
        """How many visitors may be connected at once."""
        return self.view.site.max_connections

    @property
    def is_full(self) -> bool:
        """Whether `max_connections` is reached."""
        return len(self.visitors) >= self.max_connections

    def stop(self) -> None:
        """Finish what is in flight, and begin nothing new."""
        self.stopping = True
        for visitor in tuple(self.visitors):
            visitor.finish()

    def close(self) -> None:
        """Close idle connections to members."""
        for pool in self.pools:
            pool.close()


def _reads_the_same(a: Standing, b: Standing) -> bool:
    """Whether visitors are told the same in both."""
    return (a.cause, a.reason, a.since, a.until, a.until_text) == (
        b.cause, b.reason, b.since, b.until, b.until_text,
    )  # fmt: skip
