"""The edge: listeners, sites and the time-outs that they share.

It reads the Snapshot that the control side publishes, and sends Reports up. It knows neither
the control socket nor the journal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from sorryd.edge.access import Access
from sorryd.edge.certificates import SiteCertificates
from sorryd.edge.departure import GRACE, Departure
from sorryd.edge.entrances import Entrances
from sorryd.edge.listener import Bound
from sorryd.edge.lobby import Lobby
from sorryd.edge.reaching import Reaching
from sorryd.edge.readiness import Readiness
from sorryd.edge.resolving import Resolver
from sorryd.edge.site import SiteEdge
from sorryd.numbers import EdgeNumbers
from sorryd.reports import Active, Report, ShownCertificate
from sorryd.snapshot import SiteView, Snapshot


class Edge:
    """All sites of one process."""

    def __init__(
        self,
        reactor: IReactorTime,
        resolver: Resolver,
        readiness: Readiness,
        now: Callable[[], float],
        moment: Callable[[], float],
        report: Callable[[Report], None],
        cookie_key: bytes | None = None,
    ) -> None:
        """`now` gives instants and `moment` moments. `cookie_key` None: cookies end with us."""
        self._reactor = reactor
        self._readiness = readiness
        self._now = now
        self._report_up = report
        self._cookie_key = cookie_key
        self._reaching = Reaching(reactor, resolver, readiness, moment)
        self._wheel = self._reaching.wheel
        self._sites: dict[str, SiteEdge] = {}
        # Configured no more, with visitors left; the moments at which those at rest have to go.
        self._leaving: dict[SiteEdge, float] = {}
        self._lobby = Lobby(reactor, readiness, self._wheel, self._visitors)
        self._entrances = Entrances(self._lobby)
        self._certificates: Mapping[str, SiteCertificates] = {}
        self._is_running = False
        self._access: Access | None = None
        self._departure = Departure(reactor, self._lobby, self._all_sites, self._wheel.stop)

    # --- from the control side ---

    def apply(self, snapshot: Snapshot) -> None:
        """Serve by `snapshot` from now on. Sites that it has no more finish what is in flight."""
        views = {view.site.name: view for view in snapshot.sites}
        gone = [name for name in self._sites if name not in views]
        for name in gone:
            self._dismiss(name)
        changed = [self._apply(name, view) for name, view in views.items()]
        if gone or any(changed):
            self._entrances.lead_to(self._sites)

    def _apply(self, name: str, view: SiteView) -> bool:
        """Whether what is configured of the site has changed."""
        site = self._sites.get(name)
        if site is None:
            self._sites[name] = self._site(view)
            return True
        before = site.view
        if view == before:
            return False
        site.apply(view)
        return view.site != before.site

    def _site(self, view: SiteView) -> SiteEdge:
        connector = self._reaching.connector(view.site.timeouts.connect)
        site = SiteEdge(
            view,
            self._wheel,
            self._now,
            connector,
            self._report,
            self._readiness.soon,
            self._cookie_key,
        )
        site.access = self._access
        self._departure.join(site)
        return site

    def _dismiss(self, name: str) -> None:
        site = self._sites.pop(name)
        site.lasting = False
        self._leaving[site] = self._wheel.now + GRACE

    def _report(self, report: Report) -> None:
        if report.site in self._sites:  # of one that is gone, nobody wants to know
            self._report_up(report)

    def record(self, access: Access | None) -> None:
        """Write down what visitors ask from now on; None: do not."""
        self._access = access
        for site in self._all_sites():
            site.access = access

    def look(self) -> None:
        """Time has passed: act on what follows of it."""
        now = self._now()
        for site in self._sites.values():
            if not site.holds(now):
                site.look(now)
        for site, at in tuple(self._leaving.items()):
            if self._wheel.now >= at and not site.stopping:
                site.stop()
            if not site.visitors:
                del self._leaving[site]
                site.close()

    @property
    def holds_until(self) -> float:
        """The instant at which the first site stands otherwise, if nothing happens before."""
        return min((site.holds_until for site in self._sites.values()), default=math.inf)

    def active(self) -> Sequence[Active]:
        """Requests in flight at each member of each site."""
        return [active for site in self._sites.values() for active in site.active()]

    def numbers(self) -> EdgeNumbers:
        """What this process has counted since it began, and what is so now."""
        return EdgeNumbers(sites=tuple(site.numbers() for site in self._sites.values()))

    def shown(self) -> Sequence[ShownCertificate]:
        """The certificates that visitors are shown."""
        return [shown for one in self._certificates.values() for shown in one.shown]

    # --- listening ---

    def open(self, bound: Iterable[Bound], certificates: Mapping[str, SiteCertificates]) -> None:
        """Accept at the `bound` sockets, and at no others; `certificates` by the sites' names.

        It may be called again. A socket that was there before is not touched, so that nobody who
        waits there is lost, whatever its sites are now. Those that are missing are closed; the
        connections that came by them go on. What members must show is read anew.
        """
        if not self._is_running:
            self._is_running = True
            self._wheel.start()
        sites = self._sites.values()
        self._reaching.renew(m for site in sites for m in site.view.site.members)
        self._lobby.make_room(sum(site.max_connections for site in sites))
        self._certificates = certificates
        self._entrances.open(bound, self._sites, certificates)

    def show(self, certificates: Mapping[str, SiteCertificates]) -> None:
        """Show these certificates to who comes from now on; no connection is touched."""
        self._certificates = certificates
        self._entrances.show(certificates)

    def _visitors(self) -> int:
        return sum(len(site.visitors) for site in self._all_sites())

    def _all_sites(self) -> Sequence[SiteEdge]:
        """Those that have visitors, or may have some."""
        return (*self._sites.values(), *self._leaving)

    # --- leaving ---

    def retire(self, limit: float) -> Deferred[None]:
        """Another edge has taken our place: see departure.py.

        Accept no more; what is there goes on, each connection to the end of its next request.
        Fires when all is over, or after `limit` seconds, when what is left is cut.
        """
        self._entrances.stop()
        return self._departure.retire(limit)

    def stop(self, limit: float) -> Deferred[None]:
        """Accept no more; fires when all that is in flight is over, or after `limit` seconds."""
        self._entrances.finish()
        return self._departure.stop(limit)

    def hurry(self) -> None:
        """Wait no longer for what is in flight."""
        self._departure.hurry()
