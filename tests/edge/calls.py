"""Connections to members that are in the making, where nothing is dialled."""

from __future__ import annotations

from collections.abc import Callable

from sorryd.edge.member_interfaces import NewConnection
from sorryd.model import Member

Done = Callable[[str | None], None]


class Dialling:
    """A connection to a member that was asked for and is not made yet."""

    def __init__(self, connection: NewConnection, member: Member, done: Done) -> None:
        self.connection = connection
        self.member = member
        self.done = done
        self.is_cancelled = False
        self.is_over = False

    def ends(self, why: str | None) -> None:
        """Tell who asked how it went."""
        self.is_over = True
        self.done(why)

    def cancel(self) -> None:
        assert not self.is_over, "taken back when it was over"
        assert not self.is_cancelled, "taken back twice"
        self.is_cancelled = True
