"""What becomes of a member: said by the roster, and told by those who write it down."""

from __future__ import annotations

from sorryd.model import Health, Value

Key = tuple[str, str]
"""A member: its site and URL."""


class Turn(Value, frozen=True):
    """What a report, or time, made of a member.

    `why` is empty for what is no failure. `checks` are those in a row that did it, `rest` the
    seconds of the rest that begins.
    """

    site: str
    url: str
    before: Health
    after: Health
    why: str = ""
    checks: int = 0
    rest: float = 0.0
