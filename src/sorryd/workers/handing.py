"""What a new control process and the workers of one that is gone say to each other.

Two releases may meet here: a message is never taken away, and fields are only added, with defaults.
"""

from __future__ import annotations

from sorryd.model import Listen, Value

# --- from the new control process ---------------------------------------------------------------


class Take(Value, frozen=True, tag=True):
    """Hand over what you listen at. Nothing changes by that: you go on."""


class Retire(Value, frozen=True, tag=True):
    """Others serve now: accept no more, and end when nobody is left, or after `limit` seconds."""

    limit: float


class Stop(Value, frozen=True, tag=True):
    """Stop, within `limit` seconds."""

    limit: float


class Hurry(Value, frozen=True, tag=True):
    """Wait no longer for what is in flight."""


Asked = Take | Retire | Stop | Hurry

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


Answer = Attended | Taken
