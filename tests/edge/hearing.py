"""Hears a member's answer as its connection does, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.edge.reading import cuts
from tests.edge.scene import TIMES
from tests.edge.wires import FakeWire
from twisted.internet.task import Clock

from sorryd.edge.interfaces import Exchange
from sorryd.edge.member_connection import MemberConnection
from sorryd.edge.member_interfaces import NewConnection
from sorryd.edge.members import Pool
from sorryd.edge.tally import Tally
from sorryd.edge.wheel import Waits, Wheel
from sorryd.model import Member, Value
from sorryd.policy.heads import ResponseHead

LIMIT = 400  # bytes of a head


class Heard(Value, frozen=True):
    """What became of an answer.

    `end` is how it ended: whole, broken, lost, switched; or waiting, for more. `kept`: the
    connection serves again.
    """

    statuses: tuple[int, ...] = ()
    lines: tuple[bytes, ...] = ()
    body: bytes = b""
    trailers: bytes = b""
    end: str = "waiting"
    kept: bool = False


class Listener(Exchange):
    """An exchange that keeps what its member's connection tells it."""

    def __init__(self, bodiless: bool, request_done: bool) -> None:
        self.bodiless = bodiless
        self.request_done = request_done
        self.trailers = b""
        self.statuses: list[int] = []
        self.lines: list[bytes] = []
        self.body = b""
        self.end = "waiting"

    def informational(self, head: ResponseHead) -> None:
        self.statuses.append(head.status)

    def answer(self, head: ResponseHead, piece: bytes, done: bool) -> None:
        self.statuses.append(head.status)
        self.lines = head.lines
        self.answer_body(piece, done)

    def answer_body(self, piece: bytes, done: bool) -> None:
        self.body += piece
        if done:
            self._ended("whole")

    def switched(self, head: ResponseHead, rest: bytes) -> None:
        self.statuses.append(head.status)
        self._ended("switched")

    def member_broke(self, why: str) -> None:
        assert why
        self._ended("broken")

    def member_lost(self, why: str, silent: bool) -> None:
        assert silent is (not self.statuses and "before" in why)
        self._ended("lost")

    def member_late(self) -> None:
        self._ended("late")

    def pause_request(self) -> None:
        raise AssertionError("there is nothing to send")

    def resume_request(self) -> None:
        raise AssertionError("there is nothing to send")

    def _ended(self, how: str) -> None:
        assert self.end == "waiting", "ended twice"
        self.end = how


class Nobody:
    """Connects to nobody."""

    timeout = TIMES.connect

    def take(self, member: Member) -> None:
        """There is no name to look up."""

    def connect(
        self, connection: NewConnection, member: Member, done: Callable[[str | None], None]
    ) -> Callable[[], None]:
        raise AssertionError("nobody was to be connected to")


def hear(
    pieces: Iterable[bytes],
    leaves: str = "",
    bodiless: bool = False,
    request_done: bool = True,
    asked: bool = True,
) -> Heard:
    """What a connection hears of a member that says `pieces`, then `leaves` by FIN or reset.

    `bodiless`: to HEAD. Not `asked`: before anything was asked.
    """
    clock = Clock()
    pool = Pool(
        Member(url="x", host="x", port=1),
        Waits(TIMES),
        LIMIT,
        Wheel(clock, clock.seconds),
        Nobody(),
        Tally(),
    )
    connection = MemberConnection(pool)

    def settle() -> None:
        while wire.step():
            pass

    wire = FakeWire("x", settle)
    wire.start(connection)
    listener = Listener(bodiless, request_done)
    if asked:
        connection.begin(listener, b"request", None)
    wire.says(*pieces)
    if leaves:
        wire.leaves(leaves)
    kept = pool.take(False) is connection
    assert kept or wire.is_gone or (asked and listener.end in ("waiting", "switched"))
    return Heard(
        statuses=tuple(listener.statuses),
        lines=tuple(listener.lines),
        body=listener.body,
        trailers=listener.trailers,
        end=listener.end,
        kept=kept,
    )


def hear_every_way(
    said: bytes, leaves: str = "", bodiless: bool = False, request_done: bool = True
) -> Heard:
    """What is heard of `said` as a whole; asserts that no cut makes it another answer.

    Of a body that is not whole, a cut may let more or less through: never what is not its
    beginning.
    """
    expected = hear([said], leaves, bodiless, request_done)
    for pieces in cuts(said):
        heard = hear(pieces, leaves, bodiless, request_done)
        assert expected.body.startswith(heard.body) or heard.body.startswith(expected.body)
        assert settled(heard) == settled(expected), pieces
    return expected


def settled(heard: Heard) -> Heard:
    """`heard`; where its end is bad, without what its timing alone decides."""
    if heard.end != "broken":
        return heard
    return Heard(end=heard.end, kept=heard.kept)
