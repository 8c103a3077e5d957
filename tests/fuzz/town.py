"""A site in memory that serves many plays one after the other, and must be clean after each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec
from tests.edge.calls import Dialling
from tests.edge.scene import TIMES, Scene
from tests.edge.wires import FakeWire
from tests.fuzz.case import FaultFound
from tests.fuzz.watched import Notes, watching
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer

from sorryd.edge.access import Access
from sorryd.model import Balance, LogFormat
from sorryd.snapshot import MemberView

LONGEST: Final = 40
"""Half minutes after which everything must have timed out."""

FIELDS: Final[Mapping[bytes, Mapping[str, object]]] = {
    b"plain": {},
    b"rich": {
        "balance": Balance.STICKY,
        "sticky_cookie": "SRV",
        "fail_on": (503,),
        "max_queue": 2,
        "trusted_proxies": ("192.0.2.0/24",),
        "rewrite_location": True,
        "preserve_host": False,
        "max_header_bytes": 2048,
        "max_body_bytes": 1000,
    },
}
"""By what a case calls it: a site as it is without any settings, and one with most of them."""


@implementer(ILogObserver)
class Faults:
    """What the log says of bugs; those in a time-out are not raised."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.said.append(event["log_failure"].getTraceback())


class Town(Scene):
    """See the module. `made` are the connections to members, in their order."""

    def __init__(self, kind: bytes) -> None:
        super().__init__(False, 2, 0, TIMES, **FIELDS[kind])
        if kind == b"rich":
            self._follow_paths()
        self.kind = kind
        self.prefix = b"/app" if kind == b"rich" else b""
        self.made: list[FakeWire] = []
        self.logged: list[bytes] = []
        self._faults = Faults()
        self.notes = Notes()
        self.site.access = Access(
            self.logged.append,
            LogFormat.JSON if kind == b"rich" else LogFormat.COMBINED,
            "UTC", self.clock.seconds,
        )  # fmt: skip

    def _follow_paths(self) -> None:
        """Members that have a path of their own, and room for one request."""
        members = tuple(
            msgspec.structs.replace(m, url=f"{m.url}/app", path="/app", max_connections=1)
            for m in self._view.site.members
        )
        views = tuple(MemberView(member=member) for member in members)
        self._view = msgspec.structs.replace(self._view, members=views)
        self.configure(members=members)

    def accept(self, dialling: Dialling, stalled: bool = False) -> FakeWire:
        wire = super().accept(dialling, stalled)
        self.made.append(wire)
        return wire

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """While a play goes on."""
        globalLogPublisher.addObserver(self._faults)
        try:
            with watching(self.notes):
                yield
        finally:
            globalLogPublisher.removeObserver(self._faults)

    def rests(self, attend: Callable[[], None]) -> None:
        """Let all time-outs come; `attend` after each step of the clock."""
        for _ in range(LONGEST):
            if not len(self.wheel):
                return
            self.clock.advance(30.25)
            self.settle()
            attend()
        raise FaultFound("left: something never times out")

    def check(self) -> None:
        """Nothing may be left of a play that is over."""
        if self._faults.said:
            raise FaultFound(f"raised, in a time-out: {self._faults.said[0]}")
        left = {
            "slots": sum(self.active),
            "trials": sum(pool.trying for pool in self.site.pools),
            "visitors": len(self.site.visitors),
            "in line": self.site.waiting,
            "being dialled": len(self.dialling),
            "connections": sum(not wire.is_gone for wire in (*self.visitors, *self.made)),
            "kept connections": sum(len(idle(pool)) for pool in self.site.pools),
            "timed": len(self.wheel),
            "delayed calls": len(self.clock.getDelayedCalls()) - 1,  # the wheel's own
        }
        for what, count in left.items():
            if count:
                raise FaultFound(f"left: {what}: {count}")

    def clear(self) -> None:
        """Forget the play."""
        self.visitors.clear()
        self._to_members.clear()
        self._unseen.clear()
        self.made = []
        self.logged.clear()
        self.reports.clear()
        self.notes.clear()


def idle(pool: object) -> list[object]:
    """The connections that a pool keeps."""
    kept = pool._idle  # type: ignore[attr-defined]
    assert isinstance(kept, list)
    return kept


class Towns:
    """One town of each kind, made when it is first asked for, and anew after a fault."""

    def __init__(self) -> None:
        self._towns: dict[bytes, Town] = {}

    @contextlib.contextmanager
    def play(self, kind: bytes) -> Iterator[Town]:
        """A town for one play, which is found clean again."""
        kind = kind if kind in FIELDS else b"plain"
        town = self._towns.pop(kind, None) or Town(kind)
        with town.open():
            yield town
            town.check()
        town.clear()
        self._towns[kind] = town
