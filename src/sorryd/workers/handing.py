"""What a new control process and the workers of one that is gone say to each other.

Two releases may meet here: a message is never taken away, and fields are only added, with defaults.
"""

from __future__ import annotations

from sorryd.model import Listen, Value

# --- from the new control process ---------------------------------------------------------------


class Take(Value, frozen=True, tag=True):
    """Hand over what you listen at. Nothing changes by that: you go on."""


class Heed(Value, frozen=True, tag=True):
    """This is so now: serve by it those who are still with you, and say so.

    `snapshot` is a snapshot.Snapshot in MessagePack. It is packed by itself, so that a release that
    can't read it can still be told.
    """

    serial: int
    snapshot: bytes


class Retire(Value, frozen=True, tag=True):
    """Others serve now: accept no more, and end when nobody is left, or after `limit` seconds."""

    limit: float


class Stop(Value, frozen=True, tag=True):
    """Stop, within `limit` seconds."""

    limit: float


class Hurry(Value, frozen=True, tag=True):
    """Wait no longer for what is in flight."""


Asked = Take | Heed | Retire | Stop | Hurry

# --- from the worker ----------------------------------------------------------------------------


class Attended(Value, frozen=True, tag=True):
    """Its own control process lives, and has this pid: it is nobody else's."""

    control: int


class Listening(Value, frozen=True):
    """A listening socket, whose descriptor comes along; the rest is as Bound has it."""

    listen: Listen
    sites: tuple[str, ...]
    is_given: bool = False


class Taken(Value, frozen=True, tag=True):
    """What it listens at: nothing where it retires. It began at the instant `began`."""

    began: float
    sockets: tuple[Listening, ...]


class Heeded(Value, frozen=True, tag=True):
    """It serves by the snapshot with that serial, or nobody any more."""

    serial: int


Answer = Attended | Taken | Heeded
