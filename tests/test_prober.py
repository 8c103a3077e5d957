"""The prober: whom it checks, when, and what it tells of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.edge.messages import answer
from tests.edge.probing import Call, Street

from sorryd.model import Check, CheckKind, Member, MemberState, PageSource, Site
from sorryd.prober import Prober
from sorryd.reports import CheckFailed, CheckPassed, Report
from sorryd.snapshot import MemberView, SiteView, Snapshot

HTTP = Check(target="/healthz", interval=10.0, timeout=2.0, jitter=0.0)
TCP = replace(HTTP, kind=CheckKind.TCP)


def member(name: str) -> Member:
    return Member(url=f"http://{name}", host=name, port=80)


def view(name: str, *members: str, check: Check | None = TCP, **states: MemberState) -> SiteView:
    """A site with members by name; `states` of those that are not ready."""
    site = Site(
        name=name,
        listen=(),
        members=tuple(member(one) for one in members),
        timezone="UTC",
        sorry_pages=(PageSource(source="sorry"),),
        check=check,
    )
    views = (
        MemberView(member=m, state=states.get(m.host, MemberState.READY)) for m in site.members
    )
    return SiteView(site=site, members=tuple(views))


def passed(site: str, host: str, began: float) -> CheckPassed:
    return CheckPassed(site=site, url=f"http://{host}", began=began)


class Town:
    """A prober, and the members that it checks. `chances` are the next of its random numbers."""

    def __init__(self) -> None:
        self.street = Street()
        self.reports: list[Report] = []
        self.chances: list[float] = []
        self.timeouts: list[float] = []
        self.prober = Prober(self.street.clock, self._connector, self.reports.append, self._chance)
        self._serial = 0
        self._seen = 0  # of the calls

    def _connector(self, timeout: float) -> Street:
        self.timeouts.append(timeout)
        return self.street

    def _chance(self) -> float:
        return self.chances.pop(0) if self.chances else 0.5

    def apply(self, *views: SiteView) -> None:
        self._serial += 1
        self.prober.apply(Snapshot(serial=self._serial, sites=views))

    def passes(self, seconds: float) -> None:
        self.street.passes(seconds)

    def called(self) -> list[str]:
        """Who is being connected to, or was since the last look."""
        return [call.member.host for call in self.calls()]

    def calls(self) -> list[Call]:
        """The connections that were asked for since the last look."""
        calls, self._seen = self.street.calls[self._seen :], len(self.street.calls)
        return calls

    def answers(self) -> None:
        """All that are waited for are there."""
        for call in self.street.calls:
            if call.is_waiting:
                call.succeeds()


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    yield town
    town.prober.stop()
    town.street.end()


def test_again_and_again(town: Town) -> None:
    """Each interval, by the beginning of the check before, with the time-out of the check."""
    town.apply(view("shop", "a"))
    assert town.timeouts == [2.0]
    town.passes(4.9)
    assert town.called() == []
    town.passes(0.1)
    for _ in range(3):
        assert town.called() == ["a"]
        town.passes(1.0)
        town.answers()
        town.passes(8.9)
        assert town.called() == []
        town.passes(0.1)
    assert town.called() == ["a"]
    assert town.reports == [passed("shop", "a", began) for began in (5.0, 15.0, 25.0)]


def test_the_first_checks_are_spread(town: Town) -> None:
    """Over the interval, by chance."""
    town.chances = [0.9, 0.0, 0.4]
    town.apply(view("shop", "a", "b"), view("blog", "c"))
    order = []
    for _ in range(10):
        town.passes(0.001)
        order.append(town.called())
        town.passes(0.999)
    assert [names for names in order if names] == [["b"], ["c"], ["a"]]
    assert order.index(["c"]) == 4
    assert order.index(["a"]) == 9


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)])
def test_jitter(town: Town, chance: float, wait: float) -> None:
    """Each wait is longer or shorter by up to `jitter` of the interval."""
    town.chances = [0.0, chance]
    town.apply(view("shop", "a", check=replace(TCP, jitter=0.1)))
    town.passes(0)
    town.answers()
    town.passes(wait - 0.1)
    assert town.called() == ["a"]
    town.passes(0.2)
    assert town.called() == ["a"]


def test_never_two_at_once(town: Town) -> None:
    """A check that takes longer than the interval is followed by the next one at once."""
    town.chances = [0.0]
    town.apply(view("shop", "a", check=replace(TCP, timeout=25.0)))
    town.passes(0)
    assert town.called() == ["a"]
    town.passes(24)
    assert town.called() == []
    town.passes(1)
    assert town.reports == [
        CheckFailed(site="shop", url="http://a", why="no connection within 25 s")
    ]
    town.passes(0)
    assert town.called() == ["a"]


def test_what_is_told(town: Town) -> None:
    """Well, not well and why; nothing where it was sorryd that could not connect."""
    town.chances = [0.0] * 4
    town.apply(view("shop", "a", "b", "c", "d", check=HTTP))
    town.passes(0)
    a, b, c, d = town.calls()
    a.succeeds().says(answer())
    b.succeeds().says(answer(first=b"HTTP/1.1 503 Busy"))
    c.fails("connection refused")
    d.fails("")
    assert town.reports == [
        passed("shop", "a", 0.0),
        CheckFailed(site="shop", url="http://b", why="answered 503"),
        CheckFailed(site="shop", url="http://c", why="connection refused"),
    ]
    town.passes(10)
    assert sorted(town.called()) == ["a", "b", "c", "d"]


def test_two_sites_have_two_members(town: Town) -> None:
    """Each site checks its own, in its own way; a site without a check checks none."""
    blog = view("blog", "a", check=replace(HTTP, interval=1.0))
    town.apply(view("shop", "a"), blog, view("wiki", "c", check=None))
    town.passes(0.5)
    (call,) = town.calls()
    call.succeeds().says(answer())
    assert town.reports.pop() == passed("blog", "a", 0.5)
    town.passes(4.5)
    assert set(town.called()) == {"a"}
    town.answers()
    assert passed("shop", "a", 5.0) in town.reports


def test_a_connection_while_it_is_verified(town: Town) -> None:
    """A site without a check is asked for connections after a window, and only then."""
    town.chances = [0.0]
    plain = view("shop", "a", check=None)
    town.apply(plain)
    town.passes(10)
    town.apply(replace(plain, verifying=True))
    town.passes(0)
    town.answers()
    assert town.called() == ["a"]
    assert town.reports == [passed("shop", "a", 10.0)]
    town.passes(1.1)
    assert town.called() == ["a"]
    town.apply(plain)
    town.passes(10)
    assert town.called() == []


# --- what operators do ---


def test_maintenance(town: Town) -> None:
    """Not checked; when it is over, at once. Drain is checked."""
    maint = view("shop", "a", "b", a=MemberState.MAINT, b=MemberState.DRAIN)
    town.apply(maint)
    for _ in range(3):
        town.passes(10)
        assert town.called() == ["b"]
        town.answers()
    town.apply(view("shop", "a", "b"))
    town.passes(0)
    assert town.called() == ["a"]
    town.answers()
    town.passes(10)
    assert sorted(town.called()) == ["a", "b"]


def test_maintenance_while_it_is_checked(town: Town) -> None:
    """The check that is under way says nothing any more."""
    town.apply(view("shop", "a"))
    town.passes(5)
    (call,) = town.calls()
    town.apply(view("shop", "a", a=MemberState.MAINT))
    assert call.is_cancelled
    town.passes(100)
    assert town.called() == []
    assert town.reports == []


def test_another_snapshot_changes_no_rhythm(town: Town) -> None:
    """Snapshots come with every change of health: what is checked the same goes on."""
    town.apply(view("shop", "a"))
    for _ in range(6):
        town.passes(1)
        town.apply(view("shop", "a"))
    assert town.called() == ["a"]
    (call,) = town.street.calls
    assert not call.is_cancelled


@pytest.mark.parametrize(
    "after",
    [
        pytest.param((), id="site"),
        pytest.param((view("shop", "b"),), id="member"),
        pytest.param((view("shop", "a", check=None),), id="check"),
    ],
)
@pytest.mark.parametrize("at", [4.0, 6.0], ids=["waiting", "under way"])
def test_what_goes_is_not_checked(town: Town, after: tuple[SiteView, ...], at: float) -> None:
    """Neither later nor to the end."""
    town.apply(view("shop", "a"))
    town.passes(at)
    town.apply(*after)
    town.calls()
    town.passes(4)
    assert "a" not in town.called()
    assert town.reports == []


def test_what_changes_is_checked_anew(town: Town) -> None:
    """Another check takes effect, within its interval; so does a new member."""
    town.apply(view("shop", "a"))
    town.passes(5)
    town.called()
    town.apply(view("shop", "a", "b", check=replace(HTTP, target="/up", interval=1.0)))
    town.passes(0.5)
    a, b = town.calls()
    assert (a.member.host, b.member.host) == ("a", "b")
    assert a.succeeds().gets().startswith(b"GET /up ")


def test_told_in_the_middle_of_a_report(town: Town) -> None:
    """What a report leads to may be a snapshot without that member."""
    town.prober.report = lambda report: town.apply()
    town.apply(view("shop", "a"))
    town.passes(5)
    town.answers()
    town.passes(100)
    assert town.called() == ["a"]


@pytest.mark.parametrize("at", [4.0, 6.0], ids=["waiting", "under way"])
def test_stop(town: Town, at: float) -> None:
    """Nothing is left, and what comes later begins nothing."""
    town.apply(view("shop", "a"))
    town.passes(at)
    town.prober.stop()
    town.street.end()
    town.apply(view("shop", "a", "b"))
    town.street.end()
