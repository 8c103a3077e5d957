"""Reloads: what they change, what they keep, and that a refused one has changed nothing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import fields, replace
from tests.control.reloads import BLOG, SHOP, WIKI, reload, told, with_sites
from tests.control.world import ALICE, CONFIG, SHARED, A, B, World, member, result
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from sorryd.control.differences import LATER, SETTINGS
from sorryd.errors import ErrorCode, conflict
from sorryd.messages import DaemonReload, HistoryList, MemberSet, SiteDown, Status
from sorryd.model import Config, LogFormat, MemberState
from sorryd.preparing import FIXED
from sorryd.replies import ReloadResult
from sorryd.reports import MemberFailed

KEPT = "shop: 1 window is kept, and will act if the site comes back"
DONE = ["load", "prepare", "take effect"]


@pytest.mark.parametrize(
    ("config", "recertified", "expected"),
    [
        pytest.param(CONFIG, (), told(), id="nothing"),
        pytest.param(with_sites(SHOP, BLOG, WIKI), (), told(added=("wiki",)), id="a site more"),
        pytest.param(with_sites(BLOG), (), told(removed=("shop",)), id="a site less"),
        pytest.param(
            with_sites(WIKI), (), told(added=("wiki",), removed=("shop", "blog")), id="others"
        ),
        pytest.param(
            with_sites(replace(SHOP, drain=1.0), replace(BLOG, members=(member(B),))),
            (),
            told(changed=("shop", "blog")),
            id="sites changed",
        ),
        pytest.param(CONFIG, ("blog",), told(changed=("blog",)), id="another certificate"),
        pytest.param(
            with_sites(BLOG), ("shop",), told(removed=("shop",)), id="a certificate gone with it"
        ),
        pytest.param(
            with_sites(*CONFIG.sites, timezone="Asia/Tokyo", access_log="-"),
            (),
            told(settings=("timezone", "access_log")),
            id="settings",
        ),
        pytest.param(
            with_sites(*CONFIG.sites, access_log_format=LogFormat.JSON),
            (),
            told(settings=("access_log_format",)),
            id="a format",
        ),
    ],
)
def test_differences(
    world: World, config: Config, recertified: tuple[str, ...], expected: ReloadResult
) -> None:
    """A reload answers what it has changed, and from then on that is the configuration."""
    world.preparation.recertified = recertified
    assert reload(world, config) == expected
    assert world.truth.config == config
    assert [view.site for view in world.published[-1].sites] == list(config.sites)
    assert [one.name for one in world.ask(Status()).sites] == [one.name for one in config.sites]
    assert world.preparation.deeds == DONE


def test_every_key_is_thought_of() -> None:
    """Of each key of [sorryd] it is known whether a reload changes it."""
    keys = {field.name for field in fields(Config)} - {"file", "sites"}
    assert sorted((*SETTINGS, *LATER, *FIXED)) == sorted(keys)


def test_the_order(world: World) -> None:
    """The journal has it before the truth, the truth before the edge; then it is answered."""
    world.journal.waiting = []
    world.preparation.next = with_sites(BLOG)
    answers: list[object] = []
    world.commands.execute(DaemonReload(), ALICE).addBoth(answers.append)
    assert world.preparation.deeds == ["load", "prepare"]
    assert world.truth.config == CONFIG
    assert answers == []
    world.journal.let_go()
    assert world.preparation.deeds == DONE
    assert answers == [told(removed=("shop",))]


@pytest.mark.parametrize("step", ["load", "prepare"])
def test_refused(world: World, step: str) -> None:
    """A file, or an address, that is refused changes nothing, and leaves nothing behind."""
    refusal = conflict("sorryd.ini is refused")
    before = world.truth.snapshot
    world.preparation.refusal = step, refusal
    world.preparation.next = with_sites(BLOG)
    assert world.refused(DaemonReload()) is refusal
    assert world.preparation.deeds == ["load", "prepare"][: 1 + (step == "prepare")]
    assert (world.truth.config, world.truth.snapshot) == (CONFIG, before)
    assert world.journal.commits == []
    world.preparation.refusal = None
    assert reload(world, with_sites(BLOG)) == told(removed=("shop",))


def test_the_journal_refuses(world: World) -> None:
    """What can't be written down is not done, and what was opened for it is let go."""
    world.journal.broken = True
    world.preparation.next = with_sites(BLOG)
    error = world.refused(DaemonReload())
    assert (error.code, error.message) == (
        ErrorCode.INTERNAL_ERROR,
        "nothing was changed: sorryd.db: disk I/O error",
    )
    assert world.preparation.deeds == ["load", "prepare", "drop"]
    assert world.truth.config == CONFIG


def test_changes_do_not_wait_for_files(world: World) -> None:
    """While files are read all else goes on, but for the next reload."""
    world.preparation.next = with_sites(BLOG)
    waiting: Deferred[Config] = Deferred()
    world.preparation.waiting = waiting
    reloading, again = (begun(world.commands.reload("SIGHUP")) for _ in range(2))
    assert world.ask(SiteDown(site="shop"))[0].phase == "draining"
    assert world.preparation.deeds == ["load"]
    world.preparation.waiting = None
    waiting.callback(world.preparation.next)
    assert reloading == [told(removed=("shop",), warnings=(KEPT,))]
    assert again == [told()]


def test_changes_take_turns_with_reloads(world: World) -> None:
    """What is asked while a reload is written down is decided on what that leaves."""
    world.journal.waiting = []
    world.preparation.next = with_sites(BLOG)
    reloading = begun(world.commands.execute(DaemonReload(), ALICE))
    down = begun(world.commands.execute(SiteDown(site="shop"), ALICE))
    assert len(world.ask(Status()).sites) == 2
    assert (reloading, down) == ([], [])
    world.journal.let_go()
    assert reloading == [told(removed=("shop",))]
    assert "there is no site shop" in str(down[0])


def test_reloads_take_turns_with_changes(world: World) -> None:
    """A reload that is ready while a change is written down knows what that has left."""
    world.journal.waiting = []
    world.preparation.next = with_sites(BLOG)
    down = begun(world.commands.execute(SiteDown(site="shop"), ALICE))
    reloading = begun(world.commands.execute(DaemonReload(), ALICE))
    assert world.preparation.deeds == ["load", "prepare"]
    world.journal.let_go()
    assert len(down) == 1
    assert reloading == [told(removed=("shop",), warnings=(KEPT,))]


def test_a_supervisor_hears_of_it(world: World) -> None:
    """When a reload begins and when it is over, refused or not, one after another."""
    heard = world.supervisor.heard
    world.preparation.refusal = "load", conflict("sorryd.ini is refused")
    world.refused(DaemonReload())
    assert heard == ["begins", "refused"]
    world.preparation.refusal = None
    world.journal.waiting = []
    reloading = [begun(world.commands.reload("SIGHUP")) for _ in range(2)]
    assert heard[2:] == ["begins"]
    world.journal.let_go()
    assert heard[2:5] == ["begins", "done", "begins"]
    world.journal.let_go()
    assert heard[5:] == ["done"]
    assert reloading == [[told()], [told()]]


def begun(deferred: Deferred[Any]) -> list[Any]:
    """What `deferred` fires with, as soon as it has."""
    fired: list[Any] = []
    deferred.addBoth(fired.append)
    return fired


# --- members --------------------------------------------------------------------------------


def test_members_keep_what_is_known_of_them(world: World) -> None:
    """State, weight and health of a member that stays outlive a reload; a new one is fresh."""
    world.ask(MemberSet(url=B, state=MemberState.DRAIN, weight=9))
    world.truth.report(MemberFailed(site="shop", url=A, why="reset"))
    shop = replace(SHOP, members=(member(A, weight=5), member(B), member("http://10.0.0.3:80")))
    reload(world, with_sites(shop, BLOG))
    one, other, third = world.published[-1].sites[0].members
    assert (one.health.value, one.weight) == ("resting", 5)
    assert (other.state, other.weight) == (MemberState.DRAIN, 9)
    assert (third.health.value, third.weight) == ("up", 1)


def test_settings_of_a_member_that_comes_back(world: World) -> None:
    """What the operator wanted of it still counts; that it had failed does not."""
    world.ask(MemberSet(url=f"blog/{SHARED}", weight=9))
    world.truth.report(MemberFailed(site="blog", url=SHARED, why="reset"))
    reload(world, with_sites(SHOP, replace(BLOG, members=(member(A),))))
    assert world.published[-1].sites[1].members[0].weight == 1
    reload(world, CONFIG)
    (back,) = world.published[-1].sites[1].members
    assert (back.weight, back.health.value) == (9, "up")


# --- history and log ------------------------------------------------------------------------


def test_history_tells_of_it(world: World) -> None:
    """Who reloaded, and what that changed; a signal has no author."""
    reload(world, with_sites(BLOG, WIKI, timezone="Asia/Tokyo"))
    world.preparation.next = CONFIG
    with capturedLogs() as events:
        result(world.commands.reload("SIGHUP"))
    entries = world.ask(HistoryList()).entries
    assert [(one.action, one.author and one.author.name, one.detail) for one in entries] == [
        ("daemon.reload", "alice", "added wiki; removed shop; settings timezone"),
        ("daemon.reload", None, "by SIGHUP: added shop; removed wiki; settings timezone"),
    ]
    assert formatEvent(events[0]) == f"sorryd: daemon.reload: {entries[1].detail}"
    assert entries == world.ask(HistoryList(site="blog")).entries


def test_the_log_tells_of_a_site_anew(world: World) -> None:
    """A site that is gone is forgotten: when it is back, its down-time is told again."""
    world.ask(SiteDown(site="shop"))
    reload(world, with_sites(BLOG))
    with capturedLogs() as events:
        reload(world, CONFIG)
    assert "site shop: live -> draining (by hand, window w1)" in map(formatEvent, events)


def test_not_everywhere_yet(world: World) -> None:
    """Where it could not take effect everywhere, the answer says so, and the log."""
    world.preparation.warnings = ("shop: a certificate ends soon",)
    (late,) = world.preparation.late = ("workers that do not serve by it yet: 2 (see the log)",)
    with capturedLogs() as log:
        answer = reload(world, CONFIG)
    assert answer.warnings == (*world.preparation.warnings, late)
    assert formatEvent(log[-1]) == f"daemon.reload: {late}"
