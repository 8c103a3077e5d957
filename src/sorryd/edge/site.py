"""One site at the edge: its standing by the clock, its members, its visitors.

It reads the last `SiteView` that was published and owns no truth about health or windows.
Between two edges of the site's windows, `apology` costs one clock reading and two comparisons.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

from twisted.logger import Logger

from sorryd.edge.access import Access
from sorryd.edge.choosing import Choosing
from sorryd.edge.desk import Desk
from sorryd.edge.interfaces import Guest
from sorryd.edge.member_interfaces import Connector
from sorryd.edge.site_members import SiteMembers
from sorryd.edge.tally import COLUMNS, SiteTally, member_numbers
from sorryd.edge.waiting import Soon
from sorryd.edge.wheel import Waits, Wheel
from sorryd.model import Phase, Site
from sorryd.numbers import SiteNumbers
from sorryd.policy.apologies import Apologies, Forms
from sorryd.policy.facts import Facts, facts_of, facts_of_members
from sorryd.policy.forwarding import Trusted
from sorryd.policy.heads import RequestHead
from sorryd.policy.locations import Reverse
from sorryd.policy.reception import Reception
from sorryd.policy.redirects import https_port
from sorryd.policy.windows import Standing, standing, standing_of
from sorryd.reports import EdgePassed, Report
from sorryd.snapshot import SiteView
from sorryd.window import Window

log = Logger(namespace=__name__)


class SiteEdge(SiteMembers):
    """What connections ask of their site. Mutable: one per site and process.

    `access` is the access log, where there is one; set by the edge.
    """

    # Slots, since each request reads a dozen of these: an instance with more than 30 attributes
    # loses CPython's quick way to them.
    __slots__ = (
        "_apology", "_desk", "_for_members", "_for_windows", "_forms", "_holds_from",
        "_holds_until", "_standing", "access", "instant", "lasting", "max_body_bytes",
        "max_header_bytes", "moment", "now", "reception", "redirects_to", "soon",
        "stopping", "tally", "trusted", "visitors",
    )  # fmt: skip

    def __init__(
        self,
        view: SiteView,
        wheel: Wheel,
        now: Callable[[], float],
        connector: Connector,
        report: Callable[[Report], None],
        soon: Soon,
        cookie_key: bytes | None = None,
    ) -> None:
        """`now` gives instants, `soon` calls after what is being done now.

        `cookie_key` is that of cookie_key.py; None: one that ends with this process.
        """
        key = secrets.token_bytes() if cookie_key is None else cookie_key
        super().__init__(view, wheel, Choosing(wheel, connector, soon, key), report)
        self.moment = wheel.moment
        self.now = now
        self.instant = -math.inf  # of the last look at the clock for a request
        self.tally = SiteTally()
        self.access: Access | None = None
        self.stopping = False
        self.lasting = True  # connections live on when an answer is whole
        self.visitors: set[Guest] = set()
        self.soon = soon
        self._standing = Standing(phase=Phase.LIVE)
        self._apology: Apologies | None = None
        self._for_members: dict[int, Apologies] = {}  # by status
        self._holds_from = math.inf
        self._holds_until = -math.inf
        self._for_windows: dict[str, Apologies] = {}
        self._desk = Desk(key, wheel, self._expire)
        self.reception: Reception | None = None  # who judges requests; None: nothing to judge
        self._configure(view.site)
        self._follow(view)

    @property
    def phase(self) -> Phase:
        """Where the site stood when it was looked at last."""
        return self._standing.phase

    @property
    def holds_until(self) -> float:
        """The instant at which it stands otherwise, if nothing happens before."""
        return self._holds_until

    # --- from the control side ---

    def apply(self, view: SiteView) -> None:
        """Serve by `view` from now on."""
        if view.site != self.view.site:
            self._configure(view.site)
        self._follow(view)

    def _configure(self, site: Site) -> None:
        self._apology = None  # rendered anew, as the site says now
        self._for_members.clear()
        self._for_windows.clear()
        self._desk.configure(site)
        self._forms = Forms(site, self._page_failed)
        self.timeouts = Waits(site.timeouts)
        self.max_header_bytes = site.max_header_bytes
        self.max_body_bytes = site.max_body_bytes
        self.preserve_host = site.preserve_host
        self.fail_on = frozenset(site.fail_on)
        self.redirects_to = https_port(site.listen) if site.redirect_https else None
        self.trusted = Trusted(site.trusted_proxies)
        self.rewriting = Reverse(site.members) if site.rewrite_location else None

    def _follow(self, view: SiteView) -> None:
        if (view.file, view.fetched) != (self.view.file, self.view.fetched):
            self._apology = None
            self._for_members.clear()
            self._for_windows.clear()
        self.view = view
        self.follow_members(view)
        self.look(self.now())

    # --- the phase ---

    def holds(self, now: float) -> bool:
        """Whether the site stands at the instant `now` as it was seen to stand last."""
        return self._holds_from <= now < self._holds_until

    def apology(self) -> Apologies | None:
        """What a new request gets now instead of a member; None: it goes to a member."""
        now = self.instant = self.now()
        if not self.holds(now):
            self.look(now)
            self._report(EdgePassed(site=self.view.site.name, at=now))
        return self._apology

    def look(self, now: float) -> None:
        """Work out the standing at the instant `now`, and act on what has changed."""
        site = self.view.site
        before = self._standing
        file = self.view.file
        held = standing(self.view.windows, site, now, None if file is None else file.since)
        self._standing = held
        self._holds_from, self._holds_until = held.holds_from, held.holds_until
        self.tally.column = COLUMNS[held.phase]
        if held.phase.serves:
            self._apology = None
        elif self._apology is None or not _reads_the_same(before, held):
            self._apology = self._apologies(facts_of(site, held))
        if held != before:
            self._for_windows.clear()
        self.reception = self._desk.follow(self.view, held, now)

    def _apologies(self, facts: Facts) -> Apologies:
        return self._forms.apologies(facts, self.view.file, self.view.fetched)

    def _page_failed(self, path: str, fault: str) -> None:
        log.error(
            "site {site}: {page}: {fault}; a built-in page is served instead",
            site=self.view.site.name, page=path, fault=fault,
        )  # fmt: skip

    def apology_for_members(self, status: int | None) -> Apologies:
        """The apology where members failed; `status` where only this request did."""
        site = self.view.site
        code = site.sorry_status if status is None or not self._choosing.is_anyone_left else status
        said = self._for_members.get(code)
        if said is None:
            said = self._for_members[code] = self._apologies(facts_of_members(site, code))
        return said

    def apology_of(self, window: Window | None) -> Apologies:
        """The apology of a window that covers a part of the site; None: of the phase."""
        if window is None:
            return self._apology or self.apology_for_members(None)
        said = self._for_windows.get(window.id)
        if said is None:
            said = self._apologies(facts_of(self.view.site, standing_of(window, self.now())))
            self._for_windows[window.id] = said
        return said

    def apology_for(self, head: RequestHead, client: str) -> Apologies:
        """The apology for a request that is in flight, and has had its time."""
        return self.apology_of(self._desk.covering(head, client, self.now()))

    def spares(self, head: RequestHead, client: str) -> bool:
        """Whether a request in flight may go on, though a drain is over, maybe not its own."""
        return not self.stopping and self._desk.spares(head, client, self.now())

    def _expire(self) -> None:
        """Drain is over: who is still in flight is cut (INTERFACE: and logged)."""
        cut = sum(visitor.expire() for visitor in tuple(self.visitors))
        if cut:
            log.warn(
                "site {site}: {cut} requests still in flight at the end of drain were cut",
                site=self.view.site.name, cut=cut,
            )  # fmt: skip

    # --- what is counted ---

    @property
    def waiting(self) -> int:
        """Requests that wait for members with `max_connections`."""
        return len(self._choosing.queue)

    def numbers(self) -> SiteNumbers:
        """What is counted, and what is so now."""
        tally = self.tally
        return SiteNumbers(
            site=self.view.site.name,
            itself=tally.itself.answered(),
            members=tuple(map(member_numbers, self.pools)),
            received=tally.received,
            accepted=tally.accepted,
            turned_away=tally.turned_away,
            handshakes=tally.handshakes,
            broken_handshakes=tally.broken_handshakes,
            apologies=tally.by_cause(),
            ended=tally.by_end(),
            open=len(self.visitors),
            tunnels=tally.tunnels,
            waiting=self.waiting,
        )

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
        self.lasting = False
        self.stopping = True
        for visitor in tuple(self.visitors):
            visitor.finish()

    def close(self) -> None:
        """Close idle connections to members."""
        self._choosing.close()


def _reads_the_same(a: Standing, b: Standing) -> bool:
    """Whether visitors are told the same in both."""
    return (a.phase, a.cause, a.reason, a.reasons, a.since, a.until, a.until_text) == (
        b.phase, b.cause, b.reason, b.reasons, b.since, b.until, b.until_text,
    )  # fmt: skip
