"""What the admin listener has to tell, in the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from sorryd.admin.overview import Overview
from sorryd.admin.scrapes import text
from sorryd.model import Cause, Health, Member, PageSource, Phase, Site
from sorryd.numbers import Answered, EdgeNumbers, Ended, MemberNumbers, SiteNumbers, place
from sorryd.policy.windows import Standing
from sorryd.reports import ShownCertificate, WorkerSeen
from sorryd.snapshot import MemberView, SiteView, Snapshot
from sorryd.window import Author, Window, WindowKind

NOON = 1795269600.0

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def answered(phase: Phase, kind: str, count: int = 1) -> Answered:
    """So many requests of that sort, each of 3 ms and 100 bytes."""
    answers = list(Answered().answers)
    answers[place(phase, kind)] = count
    durations = list(Answered().durations)
    durations[3] = count
    return Answered(
        answers=tuple(answers),
        durations=tuple(durations),
        seconds=0.003 * count,
        sent=100 * count,
    )


def site(name: str, *urls: str) -> SiteView:
    """A site with these members."""
    members = tuple(Member(url=url, host=url.rpartition("/")[2], port=80) for url in urls)
    one = Site(
        name=name,
        listen=(),
        members=members,
        timezone="UTC",
        sorry_pages=(PageSource(source=""),),
    )
    return SiteView(site=one, members=tuple(MemberView(member=member) for member in members))


def window(start: float) -> Window:
    """A planned one."""
    return Window(
        id="w1",
        site="shop",
        kind=WindowKind.PLANNED,
        start=start,
        end=start + 60,
        reason="upgrade",
        timezone="UTC",
        author=Author(uid=0, name="root", pid=1),
        created=NOON,
    )


def overview(**fields: Any) -> Overview:
    """A site with two members, one of them at rest, with something of all that is told."""
    view = site("shop", "http://a", "http://b")
    resting = replace(view.members[1], health=Health.RESTING, weight=4, ramp=0.5)
    view = replace(view, members=(view.members[0], resting))
    numbers = SiteNumbers(
        site="shop",
        itself=answered(Phase.DOWN, "5xx", 2),
        members=(
            MemberNumbers(
                url="http://a",
                answered=answered(Phase.LIVE, "2xx", 7),
                connects=3,
                retries=1,
                in_flight=2,
                idle=4,
            ),
            MemberNumbers(url="http://b", failovers=5, failures=6),
        ),
        received=900,
        accepted=11,
        turned_away=1,
        handshakes=8,
        broken_handshakes=2,
        apologies=(1, 1, 0, 0),
        ended=(Ended(how="visitor_left", requests=3),),
        open=9,
        tunnels=1,
        waiting=2,
    )
    standing = Standing(
        phase=Phase.DOWN, cause=Cause.WINDOW, until=NOON + 600, next=window(NOON + 3600)
    )
    whole: dict[str, Any] = {
        "version": "1.2.3",
        "python": "3.11.2",
        "snapshot": Snapshot(serial=5, sites=(view,)),
        "standings": {"shop": standing},
        "numbers": EdgeNumbers(sites=(numbers,)),
        "certificates": (ShownCertificate(site="shop", file="shop.pem", names=(), expires=NOON),),
        "workers": (
            WorkerSeen(number=1, pid=7, since=NOON, restarts=0, restarted=None),
            WorkerSeen(number=2, pid=None, since=None, restarts=3, restarted=NOON),
            WorkerSeen(number=1, pid=6, since=NOON, restarts=0, restarted=None, is_leaving=True),
        ),
        "journal_failures": 4,
    }
    return Overview(**(whole | fields))


def parsed(data: bytes) -> Series:
    """Each series, by its name and labels."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in text_string_to_metric_families(data.decode()):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def told(seen: Overview) -> Series:
    """What a scraper reads of it."""
    return parsed(text(seen, "", False))


def of(series: Series, name: str, **labels: str) -> float | None:
    """The value of one series; None where it is not there."""
    return series.get((name, frozenset(labels.items())))


def labelled(series: Series, name: str) -> Sequence[dict[str, str]]:
    """The labels of all series of a metric."""
    return [dict(labels) for other, labels in series if other == name]
