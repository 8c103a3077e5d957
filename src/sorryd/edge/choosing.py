"""The members of one site: their connections, which of them gets a request, and who waits.

What is worth knowing is worked out once per snapshot; on a quiet day a request costs one step
of a rotation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from msgspec.structs import replace

from sorryd.edge.member_interfaces import Connector
from sorryd.edge.member_interfaces import Pool as AnyPool
from sorryd.edge.members import Pool
from sorryd.edge.tally import Tally
from sorryd.edge.waiting import Queue, Soon, Waiting
from sorryd.edge.wheel import Waits, Wheel
from sorryd.model import Balance, Health, Member, Site
from sorryd.policy.balancing import Balancer, Offers, shares, tiers
from sorryd.policy.heads import RequestHead
from sorryd.policy.least_conn import LeastConn
from sorryd.policy.rendezvous import Rendezvous
from sorryd.policy.rotation import Rotation
from sorryd.policy.round_robin import Places, RoundRobin
from sorryd.policy.sticky import Cookies, Sticky
from sorryd.snapshot import MemberView, SiteView


class Choosing:
    """Mutable: one per site and process."""

    def __init__(self, wheel: Wheel, connector: Connector, soon: Soon, cookie_key: bytes) -> None:
        """`cookie_key` is secret: see cookie_key.py."""
        self.pools: tuple[Pool, ...] = ()
        self.queue = Queue(wheel, soon, self)
        self._wheel = wheel
        self._connector = connector
        self._cookie_key = cookie_key
        self._cookies: Cookies | None = None
        self._places = Places(0)
        self._urls: tuple[str, ...] = ()
        self._balanced: tuple[Balance, str, tuple[MemberView, ...]] | None = None
        self._balancer: Balancer
        self._turns: Rotation | None = None  # whose turn it is, while nothing else matters
        self._is_limited = False

    # --- from the control side ---

    def apply(self, view: SiteView) -> None:
        """Choose by `view` from now on."""
        site = view.site
        self._connector.timeout = site.timeouts.connect
        waits = Waits(site.timeouts)
        self._keep_pools(site, waits, [member.member for member in view.members])
        for pool, member in zip(self.pools, view.members, strict=True):
            pool.on_trial = member.health is Health.TRIAL
            if pool.on_trial:
                pool.worker = member.trial
            pool.is_up = member.health is Health.UP
            pool.timeouts = waits
            pool.head_limit = site.max_header_bytes
        self.queue.limit = site.max_queue
        self.queue.timeout = site.timeouts.queue
        balanced = (site.balance, site.sticky_cookie, view.members)
        if balanced != self._balanced:
            self._balanced = balanced
            self._balance(site, view.members)
            self.queue.rearrange(self._own)

    def _keep_pools(self, site: Site, waits: Waits, members: list[Member]) -> None:
        """Keep the connections, and the count of what is in flight, of members that stay."""
        if members == [pool.member for pool in self.pools]:
            return
        before = {_server(pool.member): pool for pool in self.pools}
        tallies = {pool.url: pool.tally for pool in self.pools}
        pools = []
        for member in members:
            pool = before.pop(_server(member), None)
            if pool is None:
                pool = Pool(
                    member,
                    waits,
                    site.max_header_bytes,
                    self._wheel,
                    self._connector,
                    tallies.get(member.url) or Tally(),
                )
            pool.member, pool.url, pool.limit = member, member.url, member.max_connections
            pools.append(pool)
        self.pools = tuple(pools)
        for pool in before.values():
            pool.close()

    def _balance(self, site: Site, views: tuple[MemberView, ...]) -> None:
        urls = tuple(view.member.url for view in views)
        if urls != self._urls:
            self._urls = urls
            self._places = Places(len(urls))
        offers = Offers(tiers(views), self.pools)
        turns = RoundRobin(offers, shares(views), self._places)
        self._cookies = None
        self._balancer = self._balancer_of(site, views, turns)
        self._is_limited = offers.is_limited
        is_plain = self._balancer is turns and offers.is_plain
        self._turns = turns.everyone if is_plain else None

    def _balancer_of(
        self, site: Site, views: tuple[MemberView, ...], turns: RoundRobin
    ) -> Balancer:
        match site.balance:
            case Balance.ROUND_ROBIN:
                return turns
            case Balance.LEAST_CONN:
                return LeastConn(turns, shares(views), self.pools)
            case Balance.HASH:
                return Rendezvous(turns.offers, self._urls, shares(views))
            case Balance.STICKY:
                self._cookies = Cookies(self._cookie_key, site.name, site.sticky_cookie, self._urls)
                return Sticky(turns, self._cookies, views)
            case _:
                assert_never(site.balance)

    # --- which member ---

    def pick(self, tried: tuple[AnyPool, ...], head: RequestHead, client: str) -> AnyPool | None:
        """The member that shall have a request, by its head and its client's believed address.

        Not one of those `tried`. None where nobody can take it now; where members can be full,
        nobody overtakes those who wait.
        """
        if self._is_limited and self.queue.comes_first:
            return None
        if self._turns is not None and not tried:
            return self.pools[self._turns.pick()]
        return self._by_balance(tried, head, client)

    def _by_balance(
        self, tried: tuple[AnyPool, ...], head: RequestHead, client: str
    ) -> AnyPool | None:
        index = self._balancer.pick(self._indices(tried) if tried else (), head, client)
        return None if index is None else self.pools[index]

    def _indices(self, tried: Iterable[AnyPool]) -> tuple[int, ...]:
        return tuple(at for at, pool in enumerate(self.pools) if pool in tried)

    @property
    def is_anyone_left(self) -> bool:
        """Whether a member is up."""
        plan = self._balancer.offers.plan
        return bool(plan.primary or plan.standby)

    # --- the queue ---

    def wait(
        self,
        tried: tuple[AnyPool, ...],
        head: RequestHead,
        client: str,
        go: Callable[[AnyPool], None],
        late: Callable[[], None],
    ) -> Callable[[], None] | None:
        """Wait for a member, where `pick` gave None. Returns what cancels it.

        None: nobody is merely full. `go` is told the member that takes the request, `late` that
        none did in time; not before this has returned. Raises QueueFull.
        """
        waiting = Waiting(tried, head, client, go, late)
        waiting.own = self._own(waiting)
        is_worth_it = (
            waiting.own is not None
            or self.queue.comes_first
            or self._balancer.offers.is_anybody_full(self._indices(tried))
        )
        return self.queue.join(waiting) if is_worth_it else None

    def freed(self, pool: AnyPool) -> None:
        """See member_interfaces.Members."""
        self.queue.look_soon()

    def member_for(self, waiting: Waiting) -> AnyPool | None:
        """See waiting.Chooser."""
        return self._by_balance(waiting.tried, waiting.head, waiting.client)

    def other_than_own(self, waiting: Waiting) -> AnyPool | None:
        """See waiting.Chooser."""
        if waiting.own is None:
            return None
        return self._by_balance((*waiting.tried, waiting.own), waiting.head, waiting.client)

    def _own(self, waiting: Waiting) -> Pool | None:
        tried = self._indices(waiting.tried)
        index = self._balancer.own(tried, waiting.head, waiting.client)
        return None if index is None else self.pools[index]

    # --- the sticky cookie ---

    @property
    def has_cookies(self) -> bool:
        """Whether visitors are bound to members."""
        return self._cookies is not None

    def cookie(self, head: RequestHead, pool: AnyPool, secure: bool) -> bytes:
        """The line that binds a visitor to a member; none where it has it already."""
        cookies = self._cookies
        return b"" if cookies is None else cookies.line(head, pool.url, secure)

    def close(self) -> None:
        """Close idle connections to members."""
        for pool in self.pools:
            pool.close()


def _server(member: Member) -> Member:
    """What of a member must stay the same for its connections to be kept."""
    return replace(member, weight=1, standby=False, retry=0.0, max_connections=0)
