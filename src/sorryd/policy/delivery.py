"""What a hook is told, when it is tried again, and when no more. Pure: no clock, no I/O.

A hook is told of one event after the other, in their order, and of each at least once: the next
one's turn comes when it has taken this one, or was tried in vain for long enough.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from sorryd.policy.macs import derived_key

TOLD: Final = frozenset(
    {
        "site.phase",
        "site.members_lost",
        "site.members_back",
        "down.reminder",
        "window.gave_up",
    }
)
"""The verbs of the events that hooks are told of."""

FIRST: Final = 1.0
"""Seconds after which a hook is tried again that failed once; each time twice as long."""

LONGEST: Final = 300.0
"""Seconds up to which that grows."""

MOST: Final = 300
"""Tries of one event."""

IN_VAIN: Final = 86400.0
"""Seconds for which one event is tried; after that it is no news."""

_LABEL: Final = b"sorryd hook "


def pause(tries: int, chance: float) -> float:
    """Seconds to wait after so many tries were in vain.

    `chance` (0 to 1) takes up to half of it away, so that many hooks are not tried together.
    """
    whole = min(FIRST * 2.0 ** min(tries - 1, 30), LONGEST)
    return whole * (1 - chance / 2)


def gives_up(tries: int, tried_for: float, age: float) -> bool:
    """Whether an event is not tried again after so many tries.

    `tried_for` are the seconds since the first of them, by a clock that nobody sets; `age` those
    since the event, by the wall clock. One that was old already is tried once.
    """
    return tries >= MOST or max(tried_for, age) >= IN_VAIN


def is_no_news(age: float) -> bool:
    """Whether an event of so many seconds ago is not told any more when sorryd starts."""
    return age >= IN_VAIN


def signing_key(secret: bytes, site: str) -> bytes:
    """The key that a site's POSTs are signed with, for whoever is to verify them."""
    return derived_key(secret, _LABEL + site.encode())


def signature(key: bytes, at: int, body: bytes) -> str:
    """The field Sorryd-Signature of a POST that is sent at the instant `at`."""
    signed = hmac.new(key, b"%d.%b" % (at, body), hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"
