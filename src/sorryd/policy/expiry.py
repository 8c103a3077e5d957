"""When a certificate that is shown needs a look, and what is said of it. Pure."""

from __future__ import annotations

from typing import Final

from sorryd.reports import ShownCertificate

WARNED_AHEAD: Final = 21 * 86400.0
"""Seconds before its end from which on a certificate is warned of."""


def warning(shown: ShownCertificate, now: float) -> str:
    """What is to be said of a certificate at the instant `now`; empty while all is well."""
    left = shown.expires - now
    if left > WARNED_AHEAD:
        return ""
    if left <= 0:
        return f"expired {_days(-left)} ago" if left <= -86400 else "has expired"
    return f"expires in {_days(left)}" if left >= 86400 else "expires within a day"


def early(begins: float, now: float) -> str:
    """What is to be said of one that is valid only from the instant `begins`; empty after that.

    It may as well be our clock that is wrong.
    """
    left = begins - now
    if left <= 0:
        return ""
    spoken = f"for {_days(left)} more" if left >= 86400 else "yet"
    return f"is not valid {spoken}, by the clock of this machine"


def _days(seconds: float) -> str:
    days = int(seconds // 86400)
    return f"{days} day{'' if days == 1 else 's'}"
