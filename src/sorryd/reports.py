"""What the edge tells the control side: reports as things happen, and answers when asked.

Frozen messages, which can be encoded, as all that passes between the two sides.
"""

from __future__ import annotations

from sorryd.model import Value


class MemberFailed(Value, frozen=True, tag=True):
    """A member refused a connection, or broke its answer."""

    site: str
    url: str
    why: str


class MemberAnswered(Value, frozen=True, tag=True):
    """A member on trial gave a whole answer head."""

    site: str
    url: str


class MemberTried(Value, frozen=True, tag=True):
    """A worker, by its number, begins the trial of a member; or one is over without a verdict.

    Where there is one worker alone, nobody asks.
    """

    site: str
    url: str
    worker: int
    begins: bool


class CheckPassed(Value, frozen=True, tag=True):
    """An active check that began at the moment `began` found a member well."""

    site: str
    url: str
    began: float


class CheckFailed(Value, frozen=True, tag=True):
    """An active check found a member not well."""

    site: str
    url: str
    why: str


class EdgePassed(Value, frozen=True, tag=True):
    """The edge saw a site's phase change at `at` (an instant), before any alarm did."""

    site: str
    at: float


Report = MemberFailed | MemberAnswered | MemberTried | CheckPassed | CheckFailed | EdgePassed


class Active(Value, frozen=True):
    """Requests in flight at one member of one site."""

    site: str
    url: str
    requests: int


class ShownCertificate(Value, frozen=True):
    """A certificate that a site shows now: its file, names, and the instant it expires at."""

    site: str
    file: str
    names: tuple[str, ...]
    expires: float


class WorkerSeen(Value, frozen=True):
    """A worker as the control side sees it, by its `number`.

    `pid` and `since`, an instant, are None while there is none. `restarts` are the deaths of that
    number since the daemon began, the last one at the instant `restarted`. One that `is_leaving`
    accepts nobody any more, or is about to: another one may have its number.
    """

    number: int
    pid: int | None
    since: float | None
    restarts: int
    restarted: float | None
    is_leaving: bool = False
