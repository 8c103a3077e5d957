"""The members' part of the truth: what operators want of each, and how it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, assert_never

from sorryd.journal import MemberPut
from sorryd.model import Check, Config, Health, Member, MemberState, Site, Value
from sorryd.policy.health import (
    Condition,
    adapted,
    answered,
    any_up,
    check_failed,
    check_passed,
    failed,
    released,
    rested,
    starting,
)
from sorryd.policy.slow_start import Climb, climbed
from sorryd.reports import CheckFailed, CheckPassed, MemberAnswered, MemberFailed
from sorryd.snapshot import MemberView

Key = tuple[str, str]  # a member: its site and URL
MemberReport = MemberFailed | MemberAnswered | CheckPassed | CheckFailed


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


class _Place(NamedTuple):
    """A member, and the site whose it is."""

    site: Site
    member: Member


class Roster:
    """Settings and conditions of members by site and URL.

    Settings of members that the configuration does not know are kept: they may come back.
    """

    def __init__(self, config: Config, settings: Iterable[MemberPut]) -> None:
        self._settings = {(put.site, put.url): put for put in settings}
        self._places: dict[Key, _Place] = {}
        self._conditions: dict[Key, Condition] = {}
        self._climbs: dict[Key, Climb] = {}
        self.configure(config)

    def configure(self, config: Config) -> None:
        """These are the members now. One that stays keeps its condition, one that goes does not."""
        before, conditions = self._places, self._conditions
        self._places = {
            (site.name, member.url): _Place(site, member)
            for site in config.sites
            for member in site.members
        }
        self._conditions = {}
        for key, (site, _) in self._places.items():
            condition = conditions.get(key) or starting(site.check)
            if key in before and before[key].site.check != site.check:
                condition = adapted(condition, site.check)
            self._conditions[key] = condition
        self._climbs = {
            key: climb
            for key, climb in self._climbs.items()
            if key in self._places and self._places[key].site.slow_start
        }

    def setting(self, site: str, url: str) -> MemberPut:
        """What the operator wants of a member."""
        return self._settings.get((site, url), MemberPut(site=site, url=url))

    def views(self, site: Site) -> tuple[MemberView, ...]:
        """The members of `site` as the edge shall treat them."""
        return tuple(self._view(site, member) for member in site.members)

    def edges(self) -> Iterator[float]:
        """The moments at which rests are over, and at which members get a larger share."""
        for condition in self._conditions.values():
            if condition.rest_until is not None:
                yield condition.rest_until
        for climb in self._climbs.values():
            yield climb.next_at

    # --- what happens ---

    def set(self, put: MemberPut, moment: float) -> None:
        """The operator wants this of a member."""
        key = put.site, put.url
        was_away = self.setting(*key).state is MemberState.MAINT
        self._settings[key] = put
        place = self._places.get(key)
        if place is not None and was_away and put.state is not MemberState.MAINT:
            self._conditions[key] = released(self._conditions[key], place.site.check)
            self._start_slowly(key, moment)

    def hear(self, report: MemberReport, moment: float) -> Turn | None:
        """The edge, or a check, has seen something of a member. None: nothing worth telling."""
        key = report.site, report.url
        if key not in self._places:
            return None
        match report:
            case MemberFailed():
                return self._failed(key, report.why, moment)
            case MemberAnswered():
                return self._turn(key, answered(self._conditions[key]), moment)
            case CheckPassed() | CheckFailed():
                return self._checked(key, report, moment)
            case _:
                assert_never(report)

    def rested(self, moment: float) -> list[Turn]:
        """It is `moment`: what became of members whose rest is over."""
        turns = [
            self._turn(key, rested(self._conditions[key], moment, site.check), moment)
            for key, (site, _) in self._places.items()
        ]
        return [turn for turn in turns if turn is not None]

    def climbed(self, moment: float) -> bool:
        """It is `moment`: whether a member that starts slowly gets a larger share."""
        before = tuple(self._climbs.items())
        for key, climb in before:
            after = climbed(climb, moment)
            if after is None:
                del self._climbs[key]
            else:
                self._climbs[key] = after
        return tuple(self._climbs.items()) != before

    # --- what follows ---

    def _failed(self, key: Key, why: str, moment: float) -> Turn | None:
        site, member = self._places[key]
        before = self._conditions[key]
        alone = site.check is not None and self._is_alone(site, member)
        after = failed(before, member.retry, moment, site.check, alone)
        turn = self._turn(key, after, moment, why)
        if turn is None and after.doubted and not before.doubted:
            return self._told(key, before, after, why)
        return turn

    def _checked(self, key: Key, report: CheckPassed | CheckFailed, moment: float) -> Turn | None:
        check = self._places[key].site.check
        if check is None:
            return None  # a check that went on when the configuration changed
        before = self._conditions[key]
        if isinstance(report, CheckFailed):
            return self._turn(key, check_failed(before, check), moment, report.why)
        return self._turn(key, check_passed(before, check, moment), moment)

    def _is_alone(self, site: Site, member: Member) -> bool:
        others = (other for other in site.members if other.url != member.url)
        return not any_up(self._view(site, other) for other in others)

    def _turn(self, key: Key, after: Condition, moment: float, why: str = "") -> Turn | None:
        before = self._conditions[key]
        self._conditions[key] = after
        if after.health is before.health:
            return None
        self._climbs.pop(key, None)
        if after.health is Health.UP:
            self._start_slowly(key, moment)
        return self._told(key, before, after, why)

    def _told(self, key: Key, before: Condition, after: Condition, why: str) -> Turn:
        site, member = self._places[key]
        return Turn(
            site=key[0],
            url=key[1],
            before=before.health,
            after=after.health,
            why=why,
            checks=_checks(after, site.check),
            rest=after.rest if site.check else member.retry,
        )

    def _start_slowly(self, key: Key, moment: float) -> None:
        seconds = self._places[key].site.slow_start
        if seconds and self._conditions[key].health is Health.UP:
            self._climbs[key] = Climb(began=moment, seconds=seconds)

    def _view(self, site: Site, member: Member) -> MemberView:
        key = site.name, member.url
        setting, climb = self.setting(*key), self._climbs.get(key)
        return MemberView(
            member=member,
            state=setting.state,
            weight=member.weight if setting.weight is None else setting.weight,
            health=self._conditions[key].health,
            ramp=1.0 if climb is None else climb.ramp,
        )


def _checks(condition: Condition, check: Check | None) -> int:
    """The checks in a row that made a member what it is."""
    if check is None:
        return 0
    return check.rise if condition.health is Health.UP else condition.fails
