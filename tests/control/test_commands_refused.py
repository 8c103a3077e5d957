"""Commands of the control socket that are refused."""

from __future__ import annotations

import pytest
from tests.control.world import SHARED, A, World, night

from sorryd.errors import ErrorCode
from sorryd.messages import (
    EventsSubscribe,
    HistoryList,
    MemberSet,
    Request,
    SiteDown,
    SiteUp,
    Status,
    WindowCancel,
    WindowEnd,
    WindowExtend,
    WindowGet,
    WindowList,
    WindowPlan,
    WindowSchedule,
)
from sorryd.window import GiveUp, Scope

INVALID, CONFLICT, NOT_FOUND = ErrorCode.INVALID_PARAMS, ErrorCode.CONFLICT, ErrorCode.NOT_FOUND


def plain(**fields: object) -> WindowSchedule:
    return WindowSchedule(**{"from_": "+1h", "for_": "1h", **fields})  # type: ignore[arg-type]  # rows


@pytest.mark.parametrize(
    ("request_", "code", "field", "words"),
    [
        pytest.param(Status(site="no"), NOT_FOUND, "site", "there is no site no", id="status"),
        pytest.param(WindowList(site="no"), NOT_FOUND, "site", "no site", id="list"),
        pytest.param(SiteDown(site="no"), NOT_FOUND, "site", "shop, blog", id="down"),
        pytest.param(SiteUp(site="no"), NOT_FOUND, "site", "no site", id="up"),
        pytest.param(plain(site="no"), NOT_FOUND, "site", "no site", id="schedule"),
        pytest.param(MemberSet(url=A, site="no"), NOT_FOUND, "site", "no site", id="member's site"),
        pytest.param(MemberSet(url="http://no:1"), NOT_FOUND, "url", "no member", id="member"),
        pytest.param(HistoryList(site="no"), NOT_FOUND, "site", "no site", id="history"),
        pytest.param(WindowGet(id="no"), NOT_FOUND, "id", "no window no", id="get"),
        pytest.param(WindowExtend(id="no", by="1h"), NOT_FOUND, "id", "no window", id="extend"),
        pytest.param(WindowEnd(id="no"), NOT_FOUND, "id", "no window", id="end"),
        pytest.param(WindowCancel(id="no"), NOT_FOUND, "id", "no window", id="cancel"),
        pytest.param(
            SiteDown(until="15:00", for_="1h"), INVALID, "until", "not both", id="down, two ends"
        ),
        pytest.param(
            SiteDown(until="2026-11-20"), INVALID, "until", "still to come", id="down, past"
        ),
        pytest.param(
            SiteDown(until_text="2026-11-20"), INVALID, "until_text", "still to", id="UNTIL, past"
        ),
        pytest.param(SiteDown(until="soon"), INVALID, "until", "not a time", id="down, no time"),
        pytest.param(SiteDown(for_="1"), INVALID, "for", "needs a unit", id="no duration"),
        pytest.param(SiteDown(for_="0s"), INVALID, "for", "still to come", id="for nothing"),
        pytest.param(SiteDown(drain="x"), INVALID, "drain", "not a duration", id="drain"),
        pytest.param(SiteDown(for_=1e300), INVALID, "for", "hundred years", id="for ever"),
        pytest.param(plain(from_="x"), INVALID, "from", "not a time", id="from"),
        pytest.param(plain(timezone="Mars/Base"), INVALID, "timezone", "Mars/Base", id="zone"),
        pytest.param(plain(for_=None), INVALID, "until", "until or for", id="no end"),
        pytest.param(plain(until="+2h"), INVALID, "until", "until or for", id="two ends"),
        pytest.param(plain(for_="0s"), INVALID, "for", "after the start", id="empty"),
        pytest.param(
            plain(for_=None, until="+30m"), INVALID, "until", "after the start", id="backwards"
        ),
        pytest.param(
            plain(from_="2026-11-20"), INVALID, "for", "wholly in the past", id="in the past"
        ),
        pytest.param(
            plain(from_="9998-12-31", for_="1d"), INVALID, "for", "year 9998", id="end of time"
        ),
        pytest.param(plain(every="often"), INVALID, "every", "not a part of", id="every"),
        pytest.param(
            plain(until_healthy="soon"), INVALID, "until_healthy", "not a duration", id="healthy"
        ),
        pytest.param(
            plain(until_healthy=0.0), INVALID, "until_healthy", "longer than 0", id="no patience"
        ),
        pytest.param(
            plain(give_up=GiveUp.OPEN), INVALID, "give_up", "goes with until_healthy", id="give up"
        ),
        pytest.param(
            plain(scope=Scope(paths=("/a", "b"))), INVALID, "scope.paths", "'b' is no", id="paths"
        ),
        pytest.param(
            plain(scope=Scope(paths=("/a?b",))), INVALID, "scope.paths", "no path", id="query"
        ),
        pytest.param(
            plain(scope=Scope(paths=("/a",) * 101)), INVALID, "scope.paths", "100", id="many paths"
        ),
        pytest.param(
            plain(scope=Scope(members=("http://no:1",))),
            NOT_FOUND,
            "scope.members",
            "there is no member http://no:1",
            id="members",
        ),
        pytest.param(
            plain(site="blog", scope=Scope(members=(A,))),
            NOT_FOUND,
            "scope.members",
            "there is no member",
            id="of another site",
        ),
        pytest.param(
            plain(scope=Scope(members=(A,), paths=("/a",))),
            INVALID,
            "scope.members",
            "neither paths nor methods",
            id="members and paths",
        ),
        pytest.param(
            plain(scope=Scope(methods=("PO ST",))),
            INVALID,
            "scope.methods",
            "no method",
            id="methods",
        ),
        pytest.param(
            plain(reasons={"de_DE": "x"}), INVALID, "reasons", "is no language", id="language"
        ),
        pytest.param(plain(reasons={"ja": " "}), INVALID, "reasons", "nothing in ja", id="nothing"),
        pytest.param(
            plain(reasons={"ja": "x", "JA": "y"}), INVALID, "reasons", "twice", id="twice"
        ),
        pytest.param(
            SiteDown(reasons={f"x{chr(97 + n)}": "x" for n in range(21)}),
            INVALID,
            "reasons",
            "more than 20",
            id="many languages",
        ),
        pytest.param(plain(id="over"), CONFLICT, "id", "over is over", id="again, over"),
        pytest.param(plain(id="w1"), CONFLICT, "id", "is a down by hand", id="again, a down"),
        pytest.param(
            WindowExtend(id="over", by="1h"), CONFLICT, "id", "over is over", id="extend, over"
        ),
        pytest.param(WindowEnd(id="gone"), CONFLICT, "id", "was cancelled", id="end, cancelled"),
        pytest.param(
            WindowEnd(id="later"), CONFLICT, "id", "not open yet: cancel it", id="end, too early"
        ),
        pytest.param(
            WindowCancel(id="open"), CONFLICT, "id", "is open: end it", id="cancel, too late"
        ),
        pytest.param(WindowExtend(id="open"), INVALID, "until", "either", id="extend by nothing"),
        pytest.param(
            WindowExtend(id="open", by="1h", until="15:00"), INVALID, "until", "either", id="both"
        ),
        pytest.param(
            WindowExtend(id="open", until="2026-11-21 12:30"),
            INVALID,
            "until",
            "still to come",
            id="shortened into the past",
        ),
        pytest.param(
            WindowExtend(id="later", until="+1m"),
            INVALID,
            "until",
            "after the start",
            id="shortened before its start",
        ),
        pytest.param(WindowExtend(id="w1", by="1h"), INVALID, "by", "no end yet", id="open-ended"),
        pytest.param(
            MemberSet(url=SHARED, weight=2), CONFLICT, "url", f"blog/{SHARED}", id="two sites"
        ),
        pytest.param(MemberSet(url=A), INVALID, "state", "say a state", id="member, nothing"),
        pytest.param(WindowPlan(site="no"), NOT_FOUND, "site", "no site", id="plan"),
        pytest.param(
            *(EventsSubscribe(after=999), ErrorCode.INVALID_PARAMS, "after", "of another journal?"),
            id="cursor",
        ),
        pytest.param(
            *(EventsSubscribe(site="nosuch"), ErrorCode.NOT_FOUND, "site", "there is no site"),
            id="events of nobody",
        ),
        pytest.param(
            HistoryList(since="+1h"), ErrorCode.INVALID_PARAMS, "since", "still to come", id="since"
        ),
        pytest.param(
            HistoryList(since="soon"), ErrorCode.INVALID_PARAMS, "since", "not a time", id="soon"
        ),
    ],
)
def test_refusals(world: World, request_: Request, code: ErrorCode, field: str, words: str) -> None:
    """What makes no sense, or not now, is refused by name, and changes nothing."""
    world.ask(SiteDown(site="blog"))
    world.ask(night("open", from_="now"))
    world.ask(night("over", from_="now"))
    world.ask(WindowEnd(id="over"))
    world.ask(night("gone"))
    world.ask(WindowCancel(id="gone"))
    world.ask(night("later"))
    before = world.truth.windows, world.truth.snapshot, len(world.journal.commits)
    error = world.refused(request_)
    assert (error.code, error.field) == (code, field)
    assert words in error.message
    assert (world.truth.windows, world.truth.snapshot, len(world.journal.commits)) == before
