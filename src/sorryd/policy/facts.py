"""What the apology of a site tells: one record, from which every form of it is made."""

from __future__ import annotations

import math

from sorryd.model import Cause, Phase, Site, Value
from sorryd.policy.languages import lookup
from sorryd.policy.windows import Standing
from sorryd.window import Saying


class Facts(Value, frozen=True, kw_only=True):
    """What the apology of one site tells, and the status it bears.

    `since` and `until` are instants; `until_text` is an end that is no time, said as it is.
    `reasons` are the `reason` in other languages. `retry_after` is a duration. `status` is the
    site's, or 502 or 504 where only this request failed.
    """

    site: str
    cause: Cause
    timezone: str
    phase: Phase = Phase.DOWN
    status: int = 503
    reason: str | None = None
    reasons: tuple[Saying, ...] = ()
    since: float | None = None
    until: float | None = None
    until_text: str | None = None
    retry_after: float = 30.0

    @property
    def planned(self) -> bool:
        """Whether somebody decided this outage."""
        return self.cause is not Cause.MEMBERS

    @property
    def promised(self) -> float | None:
        """The end that visitors are told; dead members promise none."""
        return self.until if self.planned else None

    @property
    def promised_text(self) -> str | None:
        """... in the operator's own words, where it is no time."""
        return self.until_text if self.planned and self.until is None else None

    @property
    def wait(self) -> int:
        """Seconds after which to ask again, where no end is known."""
        return max(1, math.ceil(self.retry_after))

    def reason_in(self, language: str) -> str | None:
        """The reason as readers of a `language` shall read it."""
        said = {one.language: one.text for one in self.reasons}
        return said.get(lookup(language, said) or "") or self.reason or None


def facts_of(site: Site, held: Standing) -> Facts:
    """What is told while `site` is down as `held` says."""
    assert held.cause is not None
    return Facts(
        site=site.name,
        cause=held.cause,
        timezone=site.timezone,
        phase=held.phase,
        status=site.sorry_status,
        reason=held.reason,
        reasons=held.reasons,
        since=held.since,
        until=held.until,
        until_text=held.until_text,
        retry_after=site.retry_after,
    )


def facts_of_members(site: Site, status: int | None = None) -> Facts:
    """What is told where the members failed; `status` where only this request did."""
    return Facts(
        site=site.name,
        cause=Cause.MEMBERS,
        timezone=site.timezone,
        status=site.sorry_status if status is None else status,
        retry_after=site.retry_after,
    )
