"""The numbers of several edge processes, together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sorryd.model import Member, PageSource, Site
from sorryd.numbers import Answered, EdgeNumbers, Ended, MemberNumbers, SiteNumbers
from sorryd.policy.totals import counted, still_there, together
from sorryd.snapshot import MemberView, SiteView, Snapshot

GAUGES = frozenset({"open", "tunnels", "waiting", "in_flight", "idle"})
NAMES = ("blog", "shop")
URLS = ("http://a", "http://b")

numbers = st.integers(0, 1000)


def rows(size: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[numbers] * size)


answered = st.builds(
    Answered,
    answers=rows(50),
    durations=rows(17),
    seconds=numbers.map(float),
    sent=numbers,
)
members = st.lists(st.sampled_from(URLS), unique=True).flatmap(
    lambda urls: st.tuples(
        *[
            st.builds(
                MemberNumbers,
                url=st.just(url),
                answered=answered,
                connects=numbers,
                retries=numbers,
                failovers=numbers,
                failures=numbers,
                in_flight=numbers,
                idle=numbers,
            )
            for url in urls
        ]
    )
)
ended = st.lists(st.sampled_from(("refused", "drained")), unique=True).flatmap(
    lambda hows: st.tuples(*[st.builds(Ended, how=st.just(how), requests=numbers) for how in hows])
)
edges = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.builds(
        EdgeNumbers,
        sites=st.tuples(
            *[
                st.builds(
                    SiteNumbers,
                    site=st.just(name),
                    itself=answered,
                    members=members,
                    received=numbers,
                    accepted=numbers,
                    turned_away=numbers,
                    handshakes=numbers,
                    broken_handshakes=numbers,
                    apologies=rows(4),
                    ended=ended,
                    open=numbers,
                    tunnels=numbers,
                    waiting=numbers,
                )
                for name in names
            ]
        ),
    )
)


def flat(value: EdgeNumbers) -> dict[tuple[object, ...], float]:
    """Each number by where it stands; those that are not 0."""
    found: dict[tuple[object, ...], float] = {}

    def walk(one: Any, at: tuple[object, ...]) -> None:
        match one:
            case dict():
                name = one.get("site") or one.get("url") or one.get("how")
                for key, inner in one.items():
                    walk(inner, (*at, name, key) if name else (*at, key))
            case list() | tuple():
                for place, inner in enumerate(one):
                    walk(inner, at if isinstance(inner, dict) else (*at, place))
            case int() | float() if one:
                found[at] = one
            case _:
                pass

    walk(msgspec.to_builtins(value), ())
    return found


def sums(several: Sequence[EdgeNumbers]) -> dict[tuple[object, ...], float]:
    """What `flat` must be of them together."""
    total: dict[tuple[object, ...], float] = {}
    for one in several:
        for at, number in flat(one).items():
            total[at] = total.get(at, 0) + number
    return total


@given(st.lists(edges, max_size=4))
def test_together(several: list[EdgeNumbers]) -> None:
    """Each number is the sum of those of all processes, whatever sites and members each knows."""
    assert flat(together(iter(several))) == sums(several)


@given(edges, edges)
def test_counted(dead: EdgeNumbers, alive: EdgeNumbers) -> None:
    """Of a process that has ended, all counters stay, and no gauge does."""
    kept = flat(counted(dead))
    assert kept == {at: n for at, n in flat(dead).items() if not GAUGES & set(at)}
    before, after = flat(together([dead, alive])), flat(together([counted(dead), alive]))
    assert all(after.get(at, 0) == n for at, n in before.items() if not GAUGES & set(at))


def test_of_no_process() -> None:
    """Nothing is counted where there is no process."""
    assert together([]) == EdgeNumbers()


def test_order() -> None:
    """Sites and members stand as the first process has them, later ones behind."""
    first = EdgeNumbers(sites=(SiteNumbers(site="shop"),))
    second = EdgeNumbers(sites=(SiteNumbers(site="blog"), SiteNumbers(site="shop")))
    assert [site.site for site in together([first, second]).sites] == ["shop", "blog"]


def test_another_release() -> None:
    """A process that counts fewer things is added up with one that counts more."""
    old = EdgeNumbers(sites=(SiteNumbers(site="shop", apologies=(1, 2)),))
    new = EdgeNumbers(sites=(SiteNumbers(site="shop", apologies=(1, 1, 1)),))
    assert together([old, new]).sites[0].apologies == (2, 3, 1)


def test_still_there() -> None:
    """What a reload has removed is forgotten: sites, and members of those that stay."""
    (a, b) = (Member(url=url, host=url[-1], port=80) for url in URLS)
    site = Site(
        name="shop",
        listen=(),
        members=(b,),
        timezone="UTC",
        sorry_pages=(PageSource(source=""),),
    )
    snapshot = Snapshot(serial=1, sites=(SiteView(site=site, members=(MemberView(member=b),)),))
    shop = SiteNumbers(
        site="shop",
        received=5,
        members=tuple(MemberNumbers(url=one.url, connects=1) for one in (a, b)),
    )
    found = still_there(EdgeNumbers(sites=(SiteNumbers(site="blog"), shop)), snapshot)
    assert [(one.site, one.received) for one in found.sites] == [("shop", 5)]
    assert [one.url for one in found.sites[0].members] == ["http://b"]
