"""What several workers have counted, together: totals of the whole daemon. Pure.

Totals never go down: of a process that has ended, `counted` is kept, and added to what others
count. What is configured no more is left out by `still_there`: a counter that comes back begins
at 0, as those who read counters expect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import zip_longest
from operator import attrgetter
from typing import Final, TypeVar

from msgspec.structs import replace

from sorryd.numbers import Answered, EdgeNumbers, Ended, MemberNumbers, SiteNumbers
from sorryd.snapshot import Snapshot

T = TypeVar("T")

_SITE: Final = attrgetter("site")
_URL: Final = attrgetter("url")


def together(several: Iterable[EdgeNumbers]) -> EdgeNumbers:
    """Those of several processes, added up; sites and members in the order of the first."""
    first, *others = tuple(several) or (EdgeNumbers(),)
    for other in others:
        first = EdgeNumbers(sites=_merged(first.sites, other.sites, _SITE, _site))
    return first


def counted(numbers: EdgeNumbers) -> EdgeNumbers:
    """What stays of a process that has ended: its counters, and nothing that was so then."""
    return EdgeNumbers(sites=tuple(map(_counted, numbers.sites)))


def still_there(numbers: EdgeNumbers, snapshot: Snapshot) -> EdgeNumbers:
    """Those of sites and members that `snapshot` has."""
    urls = {
        view.site.name: frozenset(member.member.url for member in view.members)
        for view in snapshot.sites
    }
    return EdgeNumbers(
        sites=tuple(
            replace(site, members=tuple(m for m in site.members if m.url in urls[site.site]))
            for site in numbers.sites
            if site.site in urls
        )
    )


def _merged(
    some: tuple[T, ...],
    more: tuple[T, ...],
    name_of: Callable[[T], str],
    add: Callable[[T, T], T],
) -> tuple[T, ...]:
    """Those of the same name added up, in the order of `some`; then what only `more` has."""
    left = {name_of(one): one for one in more}
    both = []
    for one in some:
        other = left.pop(name_of(one), None)
        both.append(one if other is None else add(one, other))
    return (*both, *left.values())


def _site(a: SiteNumbers, b: SiteNumbers) -> SiteNumbers:
    return SiteNumbers(
        site=a.site,
        itself=_answered(a.itself, b.itself),
        members=_merged(a.members, b.members, _URL, _member),
        received=a.received + b.received,
        accepted=a.accepted + b.accepted,
        turned_away=a.turned_away + b.turned_away,
        handshakes=a.handshakes + b.handshakes,
        broken_handshakes=a.broken_handshakes + b.broken_handshakes,
        apologies=_sums(a.apologies, b.apologies),
        ended=_ended(a.ended, b.ended),
        open=a.open + b.open,
        tunnels=a.tunnels + b.tunnels,
        waiting=a.waiting + b.waiting,
    )


def _member(a: MemberNumbers, b: MemberNumbers) -> MemberNumbers:
    return MemberNumbers(
        url=a.url,
        answered=_answered(a.answered, b.answered),
        connects=a.connects + b.connects,
        retries=a.retries + b.retries,
        failovers=a.failovers + b.failovers,
        failures=a.failures + b.failures,
        in_flight=a.in_flight + b.in_flight,
        idle=a.idle + b.idle,
    )


def _answered(a: Answered, b: Answered) -> Answered:
    return Answered(
        answers=_sums(a.answers, b.answers),
        durations=_sums(a.durations, b.durations),
        seconds=a.seconds + b.seconds,
        sent=a.sent + b.sent,
    )


def _sums(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    """Place by place; a process of another release may have fewer places."""
    return tuple(x + y for x, y in zip_longest(a, b, fillvalue=0))


def _ended(a: tuple[Ended, ...], b: tuple[Ended, ...]) -> tuple[Ended, ...]:
    counts = {one.how: one.requests for one in a}
    for one in b:
        counts[one.how] = counts.get(one.how, 0) + one.requests
    return tuple(Ended(how=how, requests=count) for how, count in counts.items())


def _counted(site: SiteNumbers) -> SiteNumbers:
    members = tuple(replace(one, in_flight=0, idle=0) for one in site.members)
    return replace(site, members=members, open=0, tunnels=0, waiting=0)
