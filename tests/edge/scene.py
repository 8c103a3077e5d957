"""A site with its visitors and members, all in memory: what dialogues are played on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec
from tests.edge.calls import Dialling, Done
from tests.edge.messages import GET, OK, passed
from tests.edge.wires import FakeWire
from twisted.internet.task import Clock

from sorryd.edge.client import VisitorConnection
from sorryd.edge.interfaces import Door
from sorryd.edge.member_interfaces import NewConnection
from sorryd.edge.site import SiteEdge
from sorryd.edge.wheel import TICK, Wheel
from sorryd.model import Health, Member, MemberState, PageSource, Site, Timeouts
from sorryd.reports import MemberFailed, Report
from sorryd.snapshot import MemberView, SiteView
from sorryd.window import Author, Window, WindowKind

NOON = 1795269600.0  # an instant
TIMES = Timeouts(
    connect=5.0, header=10.0, idle=60.0, body=30.0, answer=60.0, stream=120.0, tunnel=240.0
)
PAGE = "<!doctype html><title>{{ site }}</title>{{ cause }}\n"


# --- windows ----------------------------------------------------------------------------


def window(start: float, end: float | None, drain: float = 0.0) -> Window:
    """A planned window; without an end, a manual one."""
    return Window(
        id="w1",
        site="shop",
        kind=WindowKind.MANUAL if end is None else WindowKind.PLANNED,
        start=start,
        end=end,
        reason="upgrade",
        timezone="UTC",
        author=Author(uid=0, name="root", pid=1),
        created=start,
        drain=drain,
    )


# --- the scene --------------------------------------------------------------------------


class OneSite:
    """A door that leads to one site, whatever the request says."""

    def __init__(self, home: SiteEdge) -> None:
        self.home = self.alone = home

    def site_for(self, host: bytes, server_name: bytes | None) -> SiteEdge:
        return self.home


class Scene:
    """One site. Its members are called by the last letter of their names: a, b, and so on.

    Connections to members are made at once, unless they are in `refusing`, which says why, or
    `is_dialling_slow`: then they wait in `dialling`.
    """

    def __init__(
        self, bytewise: bool, members: int, standby: int, timeouts: Timeouts, **fields: object
    ) -> None:
        self.clock = Clock()
        self.wall = NOON
        self.worker = 0  # who may try members; 0: we are alone
        self.reports: list[Report] = []
        self.refusing: dict[str, str] = {}
        self.dialling: list[Dialling] = []
        self.is_dialling_slow = False
        self.visitors: list[FakeWire] = []
        self.wheel = Wheel(self.clock, self.clock.seconds)
        self.wheel.start()
        self._bytewise = bytewise
        self._to_members: list[FakeWire] = []
        self._unseen: list[FakeWire] = []
        self._is_settling = False
        names = "abcdefgh"[: members + standby]
        site = Site(
            name="shop",
            listen=(),
            members=tuple(
                Member(url=f"http://{name}", host=name, port=80, standby=at >= members)
                for at, name in enumerate(names)
            ),
            timezone="UTC",
            sorry_pages=(PageSource(source=PAGE),),
            timeouts=timeouts,
        )
        site = msgspec.structs.replace(site, **fields)
        self._view = SiteView(site=site, members=tuple(MemberView(member=m) for m in site.members))
        self.on_report: Callable[[Report], None] = lambda report: None
        self._soon: list[Callable[[], None]] = []
        self.site = SiteEdge(
            self._view, self.wheel, lambda: self.wall, self, self._reported, self._soon.append
        )
        self.door: Door = OneSite(self.site)

    def _reported(self, report: Report) -> None:
        self.reports.append(report)
        self.on_report(report)

    # --- who comes ---

    def visitor(self, tls: bool = False, address: str = "192.0.2.7") -> FakeWire:
        """A visitor who has just connected."""
        wire = FakeWire("visitor", self.settle, self._bytewise)
        self.visitors.append(wire)
        wire.start(VisitorConnection(self.door, address, tls))
        return wire

    def warmed_up(self) -> tuple[FakeWire, FakeWire]:
        """A visitor whose first request is answered, and the kept connection that did it."""
        visitor = self.visitor()
        visitor.says(GET)
        member = self.member("a")
        member.says(OK)
        assert visitor.gets() == passed(OK)
        member.gets()
        return visitor, member

    def asks(self, data: bytes = GET) -> tuple[FakeWire, FakeWire]:
        """A visitor who asks this, and the member that gets it."""
        visitor = self.visitor()
        visitor.says(data)
        return visitor, self.member()

    def member(self, name: str | None = None) -> FakeWire:
        """The connection to a member that was made next; `name` is whose it must be."""
        self.settle()
        assert self._unseen, "no other connection to a member was made"
        wire = self._unseen.pop(0)
        assert name in (None, wire.name)
        return wire

    @property
    def is_asking_nobody(self) -> bool:
        """No connection to a member was made but those that were seen, and none is waited for."""
        self.settle()
        return not (self._unseen or self.dialling)

    # --- the network ---

    timeout = TIMES.connect

    def take(self, member: Member) -> None:
        """See member_interfaces.Connector: names are looked up by nobody here."""

    def connect(self, connection: NewConnection, member: Member, done: Done) -> Callable[[], None]:
        """See member_interfaces.Connector."""
        dialling = Dialling(connection, member, done)
        self.dialling.append(dialling)
        return dialling.cancel

    def _dial(self) -> bool:
        self.dialling = [d for d in self.dialling if not d.is_cancelled]
        if self.is_dialling_slow or not self.dialling:
            return False
        dialling = self.dialling.pop(0)
        why = self.refusing.get(dialling.member.host)
        if why is None:
            self._unseen.append(self.accept(dialling))
        else:
            dialling.ends(why)
        return True

    def accept(self, dialling: Dialling, stalled: bool = False) -> FakeWire:
        """Make a connection that was asked for; to a member that is `stalled` from the start."""
        wire = FakeWire(dialling.member.host, self.settle, self._bytewise)
        if stalled:
            wire.stops_reading()
        wire.start(dialling.connection)
        self._to_members.append(wire)
        if dialling in self.dialling:
            self.dialling.remove(dialling)
        dialling.ends(None)
        return wire

    def settle(self) -> None:
        """Turn the loop until nothing more happens by itself."""
        if self._is_settling:
            return
        self._is_settling = True
        try:
            while self._call() or self._dial() or any(wire.step() for wire in self._wires()):
                pass
        finally:
            self._is_settling = False

    def _call(self) -> bool:
        if self._soon:
            self._soon.pop(0)()
            return True
        return False

    def _wires(self) -> Iterable[FakeWire]:
        return (*self.visitors, *self._to_members)

    # --- time, and the control side ---

    def passes(self, seconds: float) -> None:
        """Let so much monotonic time pass, tick by tick towards its end."""
        whole = max(0.0, seconds - 2 * TICK)
        for step in (whole, *[TICK / 2] * round((seconds - whole) / (TICK / 2))):
            self.clock.advance(step)
            self.settle()

    def publish(self, *windows: Window, **health: Health) -> None:
        """A new snapshot: what is known of members by their names, and all windows."""
        members = tuple(
            msgspec.structs.replace(
                view, health=health.get(view.member.host, view.health), trial=self.worker
            )
            for view in self._view.members
        )
        self._view = SiteView(site=self._view.site, members=members, windows=windows)
        self.site.apply(self._view)
        self.settle()

    def set_state(self, name: str, state: MemberState) -> None:
        """What the operator says of a member."""
        members = tuple(
            msgspec.structs.replace(view, state=state) if view.member.host == name else view
            for view in self._view.members
        )
        self._view = msgspec.structs.replace(self._view, members=members)
        self.site.apply(self._view)

    def keep_members(self, *names: str) -> None:
        """A new configuration with only these members."""
        members = tuple(view for view in self._view.members if view.member.host in names)
        self._view = msgspec.structs.replace(self._view, members=members)
        self.configure(members=tuple(view.member for view in members))

    def configure(self, **fields: object) -> None:
        """A new configuration of the site; `fields` are those of model.Site."""
        site = msgspec.structs.replace(self._view.site, **fields)
        self._view = msgspec.structs.replace(self._view, site=site)
        self.site.apply(self._view)

    # --- what came of it ---

    @property
    def active(self) -> Sequence[int]:
        """Requests in flight at each member."""
        return [active.requests for active in self.site.active()]

    @property
    def failures(self) -> Sequence[str]:
        """The members that were reported as failed, and why."""
        failed = [report for report in self.reports if isinstance(report, MemberFailed)]
        return [f"{report.url[-1]}: {report.why}" for report in failed]

    def end(self) -> None:
        """What must hold when a dialogue is over: nothing is left behind."""
        self.settle()
        assert not any(self.active), "a slot is not free"
        assert not any(pool.trying for pool in self.site.pools), "a trial is not over"
        self.site.close()
        for visitor in self.visitors:
            visitor.resets()
        assert not self.site.visitors
        assert not self.dialling
        assert all(wire.is_gone for wire in self._wires())
        self.clock.advance(TICK)  # a drain that is over is let go of by a tick
        assert len(self.wheel) == 0
        self.wheel.stop()
        assert self.clock.getDelayedCalls() == []


class Stage(Protocol):
    """Makes a scene; `fields` are those of model.Site."""

    def __call__(
        self, members: int = 1, standby: int = 0, timeouts: Timeouts = TIMES, **fields: object
    ) -> Scene: ...
