"""When to tell that a site has lost all its members, and that it has one again. Pure.

An outage is told once: at its beginning, if the site is in service then, and when it is over.
A member that comes and goes, as one does that fails each other request, is not back: one of
them must have been up for `QUIET` seconds without a break. While a window holds the site down
its members may go as they like; who finds none at its end is told then.
"""

from __future__ import annotations

import math
from typing import Final

from sorryd.facts import HealthTurned, MembersTurned
from sorryd.model import Health, MemberState
from sorryd.policy.windows import Standing
from sorryd.snapshot import MemberView

QUIET: Final = 10.0
"""Seconds for which a member must be up before an outage is over."""

_NAMED: Final = 5  # members whose fault is told


def lasting(lost: MembersTurned | None, back: MembersTurned | None) -> float | None:
    """The instant since which there is an outage, by the last that was told of each kind."""
    if lost is None or (back is not None and back.since == lost.since):
        return None
    return lost.since


def has_begun(since: float | None, standing: Standing, up_for: float | None) -> bool:
    """Whether an outage begins, that is none `since` before; None: there was none.

    `up_for` are the seconds for which a member has been up, None: none is.
    """
    return since is None and up_for is None and standing.phase.serves


def is_over(up_for: float) -> bool:
    """Whether an outage is over when a member has been up for so many seconds."""
    return up_for >= QUIET


def next_look(since: float | None, up_since: float | None) -> float:
    """The moment at which an outage may be over, if nothing happens before."""
    return math.inf if since is None or up_since is None else up_since + QUIET


def fault(member: MemberView, turned: HealthTurned | None) -> str:
    """What is the matter with a member; `turned` is the last that was told of its health."""
    url = member.member.url
    if member.state is not MemberState.READY:
        return f"{url} ({member.state})"
    if member.health is Health.UP:
        return f"{url} (weight {member.weight})"
    why = "" if turned is None or turned.after is Health.UP else turned.why
    return f"{url} ({why or member.health})"


def faults(of_each: list[str]) -> str:
    """Those of all members, in one text."""
    more = len(of_each) - _NAMED
    return ", ".join(of_each[:_NAMED]) + (f" and {more} more" if more > 0 else "")
