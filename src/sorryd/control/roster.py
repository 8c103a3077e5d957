"""The members' part of the truth: what operators want of each, and how it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sorryd.journal import MemberPut
from sorryd.model import (
    Config,
    Member,
    Site,
)
from sorryd.policy.health import Condition, answered, failed, rested
from sorryd.reports import (
    MemberAnswered,
    MemberFailed,
)
from sorryd.snapshot import (
    MemberView,
)

Key = tuple[str, str]  # a member: its site and URL
_UNKNOWN = Condition()


class Roster:
    """Settings and conditions of members by site and URL.

    Settings of members that the configuration does not know are kept: they may come back.
    The methods that change something say whether they did.
    """

    def __init__(self, config: Config, settings: Iterable[MemberPut]) -> None:
        self._members: Mapping[Key, Member] = {
            (site.name, member.url): member for site in config.sites for member in site.members
        }
        self._settings = {(put.site, put.url): put for put in settings}
        self._conditions: dict[Key, Condition] = {}

    def setting(self, site: str, url: str) -> MemberPut:
        """What the operator wants of a member."""
        return self._settings.get((site, url), MemberPut(site=site, url=url))

    def views(self, site: Site) -> tuple[MemberView, ...]:
        """The members of `site` as the edge shall treat them."""
        return tuple(self._view(site.name, member) for member in site.members)

    def rests(self) -> Iterator[float]:
        """The moments at which rests are over."""
        for condition in self._conditions.values():
            if condition.rest_until is not None:
                yield condition.rest_until

    def set(self, put: MemberPut) -> None:
        """The operator wants this of a member."""
        self._settings[put.site, put.url] = put

    def failed(self, report: MemberFailed, moment: float) -> float | None:
        """A member failed. The seconds that it rests for, unless it rests already."""
        key = report.site, report.url
        member = self._members.get(key)
        if member is None:
            return None
        condition = failed(self._condition(key), member.retry, moment)
        return member.retry if self._is_new(key, condition) else None

    def answered(self, report: MemberAnswered) -> bool:
        """A member answered."""
        key = report.site, report.url
        return self._is_new(key, answered(self._condition(key)))

    def rested(self, moment: float) -> bool:
        """It is `moment`."""
        changes = [
            self._is_new(key, rested(condition, moment))
            for key, condition in self._conditions.items()
        ]
        return any(changes)

    def _view(self, site: str, member: Member) -> MemberView:
        setting = self.setting(site, member.url)
        return MemberView(
            member=member,
            state=setting.state,
            weight=member.weight if setting.weight is None else setting.weight,
            health=self._condition((site, member.url)).health,
        )

    def _condition(self, key: Key) -> Condition:
        return self._conditions.get(key, _UNKNOWN)

    def _is_new(self, key: Key, condition: Condition) -> bool:
        if condition == self._condition(key):
            return False
        self._conditions[key] = condition
        return True
