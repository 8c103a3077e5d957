"""What hooks are told of each kind of event."""

from __future__ import annotations

from msgspec.structs import replace
from tests.control.world import CONFIG, NOON, World, night, window

from sorryd.control.hook_messages import hook_message
from sorryd.facts import DownReminded
from sorryd.journal import HistoryEntry, WindowPut
from sorryd.messages import SiteDown
from sorryd.model import Cause, Phase
from sorryd.policy.delivery import TOLD
from sorryd.replies_history import HookMessage
from sorryd.window import Saying

SHOP = CONFIG.sites[0]


def told(world: World) -> list[HookMessage]:
    """What the shop's hook is told."""
    entries: list[HistoryEntry] = []
    world.stream.following(0, "shop", 100, TOLD).addCallback(entries.extend)
    return [hook_message(entry, SHOP, CONFIG) for entry in entries]


def test_a_window(world: World) -> None:
    """Each phase is told with its window, who made that, why, and until when."""
    world.ask(night(from_="+10m"))
    world.wait(600)
    world.wait(30)
    world.wait(3600)
    messages = told(world)
    assert [one.phase for one in messages] == ["announced", "draining", "down", "live"]
    assert [one.transition for one in messages] == ["announced", "began", "drained", "end came"]
    assert [one.window for one in messages] == ["night", "night", "night", None]
    announced, draining, _, live = messages
    for one in (announced, draining):
        assert (one.reason, one.author and one.author.name, one.planned) == ("disks", "alice", True)
        assert (one.from_, one.until) == (
            "2026-11-21T13:10:00+01:00",
            "2026-11-21T14:10:00+01:00",
        )
    assert (announced.cause, draining.cause, live.cause) == (None, Cause.WINDOW, None)
    assert (announced.deadline, draining.deadline) == (
        "2026-11-21T13:10:00+01:00",
        "2026-11-21T13:10:30+01:00",
    )
    assert (live.author, live.until, live.before) == (None, None, Phase.DOWN)


def test_by_hand(world: World) -> None:
    """A down by hand may have an end in words, and none that is known."""
    world.ask(SiteDown(until_text="when it is done", drain="0s"))
    (message,) = told(world)
    assert (message.cause, message.until, message.until_text, message.deadline) == (
        Cause.MANUAL,
        None,
        "when it is done",
        None,
    )


def test_a_reminder() -> None:
    """A down without an end is told with its cause, and since when."""
    fact = DownReminded(since=NOON, limit=5.0, cause=Cause.FILE)
    entry = HistoryEntry(at=NOON + 5, verb="down.reminder", site="shop", fact=fact)
    message = hook_message(entry, SHOP, CONFIG)
    assert (message.event, message.phase, message.cause, message.from_) == (
        "down.reminder",
        Phase.DOWN,
        Cause.FILE,
        "2026-11-21T13:00:00+01:00",
    )


def test_a_window_that_gave_up() -> None:
    """What is about a window alone is told with the window, as of the site that is told."""
    given = replace(window("w", site=None), reasons=(Saying(language="ja", text="交換"),))
    put = WindowPut(window=given)
    entry = HistoryEntry(at=NOON, verb="window.gave_up", window="w", before=(put,), after=(put,))
    message = hook_message(entry, SHOP, CONFIG)
    assert (message.site, message.phase, message.cause) == ("shop", None, Cause.WINDOW)
    assert (message.reason, message.reasons) == ("disks", {"ja": "交換"})
