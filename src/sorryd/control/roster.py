"""The members' part of the truth: what operators want of each, and how it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from typing import NamedTuple, TypeVar, assert_never

from sorryd.control.turn import Key, Turn
from sorryd.journal import MemberPut
from sorryd.model import Check, Config, Health, Member, MemberState, Site
from sorryd.policy.health import (
    Condition,
    adapted,
    answered,
    any_up,
    check_failed,
    check_passed,
    failed,
    is_offered,
    released,
    rested,
    starting,
)
from sorryd.policy.slow_start import Climb, climbed
from sorryd.policy.windows import Withdrawal
from sorryd.reports import CheckFailed, CheckPassed, MemberAnswered, MemberFailed
from sorryd.snapshot import MemberView

MemberReport = MemberFailed | MemberAnswered | CheckPassed | CheckFailed


_AWAY = (MemberState.READY, MemberState.DRAIN, MemberState.MAINT)  # ever more is taken away
T = TypeVar("T")


class _Place(NamedTuple):
    """A member, and the site whose it is."""

    site: Site
    member: Member


class Roster:
    """Settings and conditions of members by site and URL.

    Settings of members that the configuration does not know are kept: they may come back.
    """

    def __init__(
        self, config: Config, settings: Iterable[MemberPut], trial: Callable[[Key], int]
    ) -> None:
        """`trial` tells which worker may try a member."""
        self._trial = trial
        self._settings = {(put.site, put.url): put for put in settings}
        self._places: dict[Key, _Place] = {}
        self._conditions: dict[Key, Condition] = {}
        self._climbs: dict[Key, Climb] = {}
        self._withdrawn: dict[Key, MemberState] = {}  # by windows
        self._well: dict[Key, float] = {}  # the moments at which the last checks began that passed
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
                self._well.pop(key, None)
            self._conditions[key] = condition
        self._climbs = {
            key: climb
            for key, climb in self._climbs.items()
            if key in self._places and self._places[key].site.slow_start
        }
        self._withdrawn = _kept(self._withdrawn, self._places)
        self._well = _kept(self._well, self._places)

    def setting(self, site: str, url: str) -> MemberPut:
        """What the operator wants of a member."""
        return self._settings.get((site, url), MemberPut(site=site, url=url))

    def views(self, site: Site) -> tuple[MemberView, ...]:
        """The members of `site` as the edge shall treat them."""
        return tuple(self._view(site, member) for member in site.members)

    def is_healthy(self, site: Site, urls: tuple[str, ...], since: float) -> bool:
        """Whether those who would serve are up, and a check that began after `since` says so.

        Only members of `urls`, unless it is empty. The standby members of a site are asked
        where there are no others.
        """
        if urls:
            return all(
                self._is_well((site.name, url), since)
                for url in urls
                if (site.name, url) in self._places
                and self.setting(site.name, url).state is MemberState.READY
            )
        ready = [view for view in self.views(site) if is_offered(view)]
        asked = [view for view in ready if not view.member.standby] or ready
        return bool(asked) and all(
            self._is_well((site.name, view.member.url), since) for view in asked
        )

    def _is_well(self, key: Key, since: float) -> bool:
        began = self._well.get(key, -math.inf)
        return began >= since and self._conditions[key].health is Health.UP

    def edges(self) -> Iterator[float]:
        """The moments at which rests are over, and at which members get a larger share."""
        for condition in self._conditions.values():
            if condition.rest_until is not None:
                yield condition.rest_until
        for climb in self._climbs.values():
            yield climb.next_at

    def on_trial(self) -> Iterator[Key]:
        """The members that somebody shall try."""
        for key, condition in self._conditions.items():
            if condition.health is Health.TRIAL and self._state(key) is not MemberState.MAINT:
                yield key

    # --- what happens ---

    def set(self, put: MemberPut, moment: float) -> None:
        """The operator wants this of a member."""
        key = put.site, put.url
        before = self._state(key)
        self._settings[key] = put
        self._moved(key, before, moment)

    def withdraw(self, site: Site, withdrawn: Collection[Withdrawal], moment: float) -> bool:
        """Windows take these members of `site` out, and no others; whether that is new."""
        if not (withdrawn or self._withdrawn):
            return False
        wanted = {(site.name, one.url): one.state for one in withdrawn}
        mine = {key: state for key, state in self._withdrawn.items() if key[0] == site.name}
        if wanted == mine:
            return False
        states = {key: self._state(key) for key in (*mine, *wanted)}
        for key in mine:
            del self._withdrawn[key]
        self._withdrawn |= wanted
        for key, before in states.items():
            self._moved(key, before, moment)
        return True

    def _moved(self, key: Key, before: MemberState, moment: float) -> None:
        """A member that was in the state `before` may come back from maintenance."""
        place = self._places.get(key)
        is_away = self._state(key) is MemberState.MAINT
        if place is not None and before is MemberState.MAINT and not is_away:
            self._conditions[key] = released(self._conditions[key], place.site.check)
            self._start_slowly(key, moment)

    def _state(self, key: Key) -> MemberState:
        """What the operator or a window wants of a member, whichever takes more away."""
        return max(
            self.setting(*key).state, self._withdrawn.get(key, MemberState.READY), key=_AWAY.index
        )

    def hear(self, report: MemberReport, moment: float, is_verifying: bool) -> Turn | None:
        """The edge, or a check, has seen something of a member. None: nothing worth telling.

        Where its site has no check, checks count while it `is_verifying`.
        """
        key = report.site, report.url
        if key not in self._places:
            return None
        match report:
            case MemberFailed():
                return self._failed(key, report.why, moment)
            case MemberAnswered():
                return self._turn(key, answered(self._conditions[key]), moment)
            case CheckPassed() | CheckFailed():
                if self._places[key].site.check is None and not is_verifying:
                    return None  # a check that went on when the configuration changed
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
        self._well.pop(key, None)
        alone = site.check is not None and self._is_alone(site, member)
        after = failed(before, member.retry, moment, site.check, alone)
        turn = self._turn(key, after, moment, why)
        if turn is None and after.doubted and not before.doubted:
            return self._told(key, before, after, why)
        return turn

    def _checked(self, key: Key, report: CheckPassed | CheckFailed, moment: float) -> Turn | None:
        check = self._places[key].site.check
        before = self._conditions[key]
        if isinstance(report, CheckPassed):
            self._well[key] = report.began
        else:
            self._well.pop(key, None)
        if check is None:  # a connection tells what a request would
            if isinstance(report, CheckFailed):
                return self._failed(key, report.why, moment)
            return self._turn(key, answered(before), moment)
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
            state=self._state(key),
            weight=member.weight if setting.weight is None else setting.weight,
            health=self._conditions[key].health,
            ramp=1.0 if climb is None else climb.ramp,
            trial=self._trial(key),
        )


def _kept(facts: dict[Key, T], places: Container[Key]) -> dict[Key, T]:
    return {key: fact for key, fact in facts.items() if key in places}


def _checks(condition: Condition, check: Check | None) -> int:
    """The checks in a row that made a member what it is."""
    if check is None:
        return 0
    return check.rise if condition.health is Health.UP else condition.fails
