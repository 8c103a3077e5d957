"""A site's members, as exchanges ask for them, and what the control side hears of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sorryd.edge.choosing import Choosing
from sorryd.edge.member_interfaces import Members
from sorryd.edge.member_interfaces import Pool as AnyPool
from sorryd.edge.members import Pool
from sorryd.edge.wheel import Wheel
from sorryd.policy.heads import RequestHead
from sorryd.reports import Active, MemberAnswered, MemberFailed, MemberTried, Report
from sorryd.snapshot import SiteView


class SiteMembers(Members):
    """The side of a site (site.py) that faces its members."""

    __slots__ = ("_choosing", "_report", "pools", "view")

    def __init__(
        self, view: SiteView, wheel: Wheel, choosing: Choosing, report: Callable[[Report], None]
    ) -> None:
        self.view = view
        self.wheel = wheel
        self.pools: tuple[Pool, ...] = ()
        self._choosing = choosing
        self._report = report
        self.has_cookies = False

    def follow_members(self, view: SiteView) -> None:
        """Ask the members of `view` from now on."""
        self._choosing.apply(view)
        self.pools = self._choosing.pools
        self.has_cookies = self._choosing.has_cookies

    def failed(self, pool: AnyPool, why: str) -> None:
        """A member refused a connection or broke an answer."""
        pool.tally.failures += 1
        self._report(MemberFailed(site=self.view.site.name, url=pool.member.url, why=why))

    def answered(self, pool: AnyPool) -> None:
        """A member that was not known to be up answered."""
        self._report(MemberAnswered(site=self.view.site.name, url=pool.member.url))

    def tried(self, pool: AnyPool, begins: bool) -> None:
        """The trial of a member begins, or is over without a verdict."""
        name, url = self.view.site.name, pool.member.url
        self._report(MemberTried(site=name, url=url, worker=pool.worker, begins=begins))

    # --- which of them, and who waits: see member_interfaces.Members ---

    def pick(self, tried: tuple[AnyPool, ...], head: RequestHead, client: str) -> AnyPool | None:
        return self._choosing.pick(tried, head, client)

    def wait(
        self,
        tried: tuple[AnyPool, ...],
        head: RequestHead,
        client: str,
        go: Callable[[AnyPool], None],
        late: Callable[[], None],
    ) -> Callable[[], None] | None:
        return self._choosing.wait(tried, head, client, go, late)

    def freed(self, pool: AnyPool) -> None:
        self._choosing.freed(pool)

    def cookie(self, head: RequestHead, pool: AnyPool, secure: bool) -> bytes:
        return self._choosing.cookie(head, pool, secure)

    def active(self) -> Iterable[Active]:
        """Requests in flight at each member."""
        name = self.view.site.name
        return (Active(site=name, url=p.member.url, requests=p.active) for p in self.pools)
