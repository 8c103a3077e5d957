"""Requests that are given to members, without what is said on the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from msgspec.structs import replace
from tests.edge.messages import HOST
from tests.edge.scene import PAGE, TIMES
from twisted.internet.task import Clock

from sorryd.edge.choosing import Choosing
from sorryd.edge.member_interfaces import NewConnection, Pool, QueueFull
from sorryd.edge.wheel import TICK, Wheel
from sorryd.model import Member, PageSource, Site
from sorryd.policy.heads import RequestHead
from sorryd.snapshot import MemberView, SiteView

CLIENT = "192.0.2.7"


def member(name: str, limit: int = 0, **fields: object) -> Member:
    """A member that is called `name`."""
    plain = Member(url=f"http://{name}", host=name, port=80, max_connections=limit)
    return replace(plain, **fields)


class Asking:
    """One request; `member` is the name of who has it, "" while it waits for one."""

    def __init__(self, crowd: Crowd, tried: tuple[Pool, ...], client: str, cookie: bytes) -> None:
        self.member = ""
        self.is_refused = False  # nobody took it, or not in time
        self.head = RequestHead(b"GET", b"/", 1)
        self.head.lines = [HOST[:-2]]
        self.head.host_at = 0
        if cookie:
            self.head.lines.append(b"Cookie: " + cookie)
        self._crowd = crowd
        self.pool = crowd.choosing.pick(tried, self.head, client)
        if self.pool is not None:
            self._go(self.pool)
            return
        self._cancel: Callable[[], None] | None = None
        with contextlib.suppress(QueueFull):
            self._cancel = crowd.choosing.wait(tried, self.head, client, self._go, self._late)
        assert not self.member, "told to go before it waits"
        self.is_refused = self._cancel is None

    def _go(self, pool: Pool) -> None:
        assert self.waits, "told twice"
        self.pool = pool
        self.member = pool.member.host
        pool.active += 1

    def _late(self) -> None:
        assert self.waits, "told twice"
        self.is_refused = True

    @property
    def waits(self) -> bool:
        """Whether it is in the queue."""
        return not (self.member or self.is_refused)

    def ends(self) -> None:
        """Its answer is whole."""
        assert self.pool is not None
        self.pool.active -= 1
        self._crowd.choosing.freed(self.pool)

    def leaves(self) -> None:
        """Its visitor is gone."""
        assert self._cancel is not None
        self._cancel()
        self.is_refused = True

    def set_cookie(self) -> bytes:
        """The cookie that its answer sets; b"" where it sets none."""
        assert self.pool is not None
        line = self._crowd.choosing.cookie(self.head, self.pool, False)
        return line.partition(b"Set-Cookie: ")[2].partition(b";")[0]


def places(*asking: Asking) -> list[str]:
    """The member of each; "-" while it waits, "x" where it was refused."""
    return [one.member or ("-" if one.waits else "x") for one in asking]


class Crowd:
    """The members of a site, and who asks them. `fields` are those of model.Site."""

    timeout = 0.0

    def __init__(self, *members: Member, **fields: object) -> None:
        self.clock = Clock()
        self.wheel = Wheel(self.clock, self.clock.seconds)
        self.wheel.start()
        self.soon: list[Callable[[], None]] = []
        site = Site(
            name="shop",
            listen=(),
            members=members,
            timezone="UTC",
            sorry_pages=(PageSource(source=PAGE),),
            timeouts=TIMES,
        )
        self._site = replace(site, **fields)
        self.views = {one.host: MemberView(member=one, weight=one.weight) for one in members}
        self.choosing = Choosing(self.wheel, self, self.soon.append, b"key")
        self.publish()

    def publish(self, **fields: object) -> None:
        """A new snapshot; `fields` are those of model.Site."""
        self._site = replace(
            self._site, members=tuple(view.member for view in self.views.values()), **fields
        )
        self.choosing.apply(SiteView(site=self._site, members=tuple(self.views.values())))

    def set(self, name: str, **fields: object) -> None:
        """Something else is known of a member; `fields` are those of MemberView."""
        self.views[name] = replace(self.views[name], **fields)
        self.publish()

    def pool(self, name: str) -> Pool:
        """The connections to a member."""
        return next(pool for pool in self.choosing.pools if pool.member.host == name)

    def asks(self, *tried: Pool, client: str = CLIENT, cookie: bytes = b"") -> Asking:
        """A request comes, which was sent to `tried` already."""
        return Asking(self, tried, client, cookie)

    def turns(self) -> None:
        """Let the loop turn."""
        while self.soon:
            self.soon.pop(0)()

    def passes(self, seconds: float) -> None:
        """Let so much time pass."""
        self.clock.advance(seconds)
        self.clock.advance(TICK)
        self.turns()

    # --- member_interfaces.Connector ---

    def take(self, member: Member) -> None:
        """There is no name to look up."""

    def connect(
        self, connection: NewConnection, member: Member, done: Callable[[str | None], None]
    ) -> Callable[[], None]:
        raise AssertionError("nobody is connected to here")
