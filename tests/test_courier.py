"""Hooks are told of events in order, one at a time, each until it is taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import CONFIG, A, World, member, site, window
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent

from sorryd.hooks import Hooks
from sorryd.journal import HistoryEntry, WindowPut
from sorryd.messages import HistoryList, SiteDown, SiteUp
from sorryd.model import Config, Site
from sorryd.policy import delivery
from sorryd.replies_history import HookMessage

DAY = 86400.0


class Sent:
    """One event on its way."""

    def __init__(self, site: Site, body: bytes) -> None:
        self.site = site
        self.body: dict[str, Any] = json.loads(body)
        self._done: Deferred[str | None] = Deferred()
        self.is_ended = False

    @property
    def done(self) -> Deferred[str | None]:
        return self._done

    def terminate(self) -> None:
        self.is_ended = True
        self._done.callback("was ended")

    def answer(self, why: str | None = None) -> None:
        """The hook has taken it, or says why not."""
        self._done.callback(why)


class Town:
    """A daemon in memory whose sites have hooks; `answers` are given at once, if there are any."""

    def __init__(self, path: str) -> None:
        shop = site("shop", member(A), hook="/hook")
        blog = site("blog", member(A), hook="http://10.0.0.1/")
        self.config = replace(CONFIG, sites=(shop, blog))
        self.world = World(path, self.config)
        self.begin()

    def begin(self) -> None:
        self.clock = Clock()
        self.sent: list[Sent] = []
        self.answers: list[str | None] = []
        self.hooks = Hooks(
            self.clock, self.world.stream, self.send, lambda: self.world.wall, lambda: 0.0
        )
        self.hooks.use(self.config)

    def restart(self) -> None:
        """Die, and start again."""
        self.world.restart()
        self.begin()

    def send(self, site: Site, message: HookMessage, body: bytes) -> Sent:
        sent = Sent(site, body)
        self.sent.append(sent)
        if self.answers:
            sent.answer(self.answers.pop(0))
        return sent

    def told(self, name: str = "shop") -> list[str]:
        """The phases that a hook was told of."""
        return [one.body["phase"] for one in self.sent if one.site.name == name]

    def turn(self, *sites: str) -> None:
        """Take sites down and bring them up again: two events each."""
        for name in sites or ("shop",):
            self.world.ask(SiteDown(site=name, drain="0s"))
            self.world.ask(SiteUp(site=name))

    def failed(self) -> list[str]:
        entries = self.world.ask(HistoryList()).entries
        return [one.detail for one in entries if one.action == "hook.failed"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(str(tmp_path / "sorryd.db"))
    yield town
    town.world.journal.close()


def test_one_after_the_other(town: Town) -> None:
    """The next event is told when the hook has taken the one before it."""
    town.turn()
    assert town.told() == ["down"]
    town.sent[-1].answer()
    assert town.told() == ["down", "live"]
    town.sent[-1].answer()
    town.turn()
    assert town.told() == ["down", "live", "down"]
    assert town.clock.getDelayedCalls() == []


def test_sites_do_not_wait_for_each_other(town: Town) -> None:
    """A hook that hangs holds up no other one."""
    town.turn("shop", "blog")
    next(one for one in town.sent if one.site.name == "blog").answer()
    assert (town.told("shop"), town.told("blog")) == (["down"], ["down", "live"])


def test_tried_again(town: Town) -> None:
    """What fails is tried again, later each time, and only then comes the next."""
    town.answers = ["no"] * 3 + [None] * 2
    with capturedLogs() as logged:
        town.turn()
    assert any(
        formatEvent(one) == "the hook of shop was not told of event 2: no; again in 1s"
        for one in logged
    )
    for pause, count in ((0.9, 1), (0.1, 2), (1.9, 2), (0.1, 3), (3.9, 3), (0.1, 5)):
        town.clock.advance(pause)
        assert len(town.sent) == count
    assert town.told() == ["down"] * 4 + ["live"]
    assert len({one.body["cursor"] for one in town.sent}) == 2


def test_given_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails for too often is given up loudly, and the next event's turn comes."""
    monkeypatch.setattr(delivery, "MOST", 3)
    town.answers = ["exit status 3"] * 3
    with capturedLogs() as logged:
        town.turn()
        for _ in range(2):
            town.clock.advance(2)
    assert town.told() == ["down"] * 3 + ["live"]
    assert town.failed() == ["/hook was not told of event 2 in 3 tries: exit status 3"]
    loud = [one for one in logged if one["log_level"].name == "error"]
    assert "is not told of event 2 any more, after 3 tries: exit status 3" in formatEvent(loud[0])
    town.sent[-1].answer()
    town.restart()
    assert town.told() == []


def test_given_up_after_a_day(town: Town) -> None:
    """What fails for a day by a clock that nobody sets is given up, too."""
    town.turn()
    for _ in range(20):
        town.sent[-1].answer("no")
        town.clock.advance(300)
    assert town.told() == ["down"] * 21
    town.clock.advance(DAY)
    town.sent[-1].answer("no")
    assert town.told()[-1] == "live"


def test_killed_at_any_moment(town: Town) -> None:
    """Who is killed while a hook is told tells it again; what was taken is not told again."""
    town.turn()
    town.sent[-1].answer()
    town.restart()
    assert town.told() == ["live"]
    town.restart()
    assert town.told() == ["live"]
    town.sent[-1].answer()
    town.restart()
    assert town.told() == []
    town.turn()
    assert town.told() == ["down"]


def test_an_old_backlog(town: Town) -> None:
    """What is more than a day old at a start is not told any more, which is said once."""
    town.turn()
    town.world.step(DAY + 1)
    with capturedLogs() as logged:
        town.restart()
    assert town.told() == []
    town.turn()
    assert town.told() == ["down"]
    said = [formatEvent(one) for one in logged]
    assert said.count("the hook of shop is not told of 2 events of more than a day ago") == 1
    with capturedLogs() as logged:
        town.restart()
    assert not any("more than a day ago" in formatEvent(one) for one in logged)
    assert town.told() == ["down"]


def test_a_clock_that_jumps(town: Town) -> None:
    """While sorryd runs, a clock that is set ahead loses no event: each is tried once at least."""
    town.turn()
    town.world.step(10 * DAY)
    town.sent[-1].answer()
    assert town.told() == ["down", "live"]


def test_another_configuration(town: Town) -> None:
    """A hook that comes with a reload is told of what comes then; one that goes is told no more."""
    town.answers = ["no"]
    town.turn()
    shop, blog = town.config.sites
    town.hooks.use(replace(town.config, sites=(replace(shop, hook=None), blog)))
    town.clock.advance(1000)
    assert town.told() == ["down"]
    town.hooks.use(replace(town.config, sites=(replace(shop, hook="/other"), blog)))
    town.turn()
    assert town.told() == ["down", "down"]
    assert town.sent[-1].site.hook == "/other"
    other: Config = replace(
        town.config, sites=(replace(shop, hook="/other", bypass_secret=b"x" * 16), blog)
    )
    town.hooks.use(other)
    town.sent[-1].answer()
    assert town.sent[-1].site.bypass_secret == b"x" * 16


def test_gone_while_it_is_told(town: Town) -> None:
    """A hook that goes while it is told begins anew, at the present, when it comes back."""
    town.turn()
    shop, blog = town.config.sites
    town.hooks.use(replace(town.config, sites=(replace(shop, hook=None), blog)))
    town.sent[-1].answer()
    town.turn()
    town.hooks.use(town.config)
    assert town.told() == ["down"]
    town.world.ask(SiteDown(site="shop", drain="0s"))
    assert town.told() == ["down", "down"]


def test_a_journal_that_fails(town: Town) -> None:
    """What was told and can't be written holds up what follows, and is written when it can be."""
    town.turn()
    town.world.journal.broken = True
    with capturedLogs():
        town.sent[-1].answer()
        town.clock.advance(5)
        assert town.told() == ["down"]
        town.world.journal.broken = False
        town.clock.advance(1)
    assert town.told() == ["down", "live"]


def test_the_end(town: Town) -> None:
    """At the end, what is under way may be finished, what waits is not; then that is ended."""
    town.answers = ["no"]
    town.turn()  # waits for its second try
    town.turn("blog")
    over: list[None] = []
    town.hooks.stop(30).addCallback(over.append)
    assert over == []
    town.sent[-1].answer()
    assert over == [None]
    assert town.told("blog") == ["down"]
    assert town.clock.getDelayedCalls() == []
    town.restart()
    assert (town.told("shop"), town.told("blog")) == (["down"], ["live"])
    town.hooks.stop(30).addCallback(over.append)
    town.clock.advance(30)
    assert over == [None, None]
    assert all(one.is_ended for one in town.sent)


def test_of_every_site(town: Town) -> None:
    """What is of every site is told to the hook of each, as of that one."""
    put = WindowPut(window=window("w", site=None, gave_up=town.world.wall))
    gave_up = HistoryEntry(
        at=town.world.wall, verb="window.gave_up", window="w", before=(put,), after=(put,)
    )
    town.world.journal.append((gave_up,))
    told = {(one.site.name, one.body["site"], one.body["event"]) for one in town.sent}
    assert told == {(name, name, "window.gave_up") for name in ("shop", "blog")}
    assert town.sent[0].body["author"]["name"] == "alice"
