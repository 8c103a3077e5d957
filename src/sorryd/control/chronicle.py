"""What changed and why, as lines of the log; each change is told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import assert_never

from twisted.logger import Logger
from twisted.python.failure import Failure

from sorryd.control.turn import Turn
from sorryd.journal import Change, HistoryEntry, MemberPut, WindowPut
from sorryd.model import Cause, Health, Phase, Site
from sorryd.policy.health import any_up
from sorryd.policy.lifecycle import Event, Transition, transition
from sorryd.policy.reminders import open_since, warning
from sorryd.policy.windows import Standing
from sorryd.snapshot import SiteView
from sorryd.times import format_duration
from sorryd.window import Window

STEP = 2.0  # seconds between two looks by which the clocks may differ before it is a step

_BY = {
    Cause.WINDOW: "planned",
    Cause.MANUAL: "by hand",
    Cause.FILE: "the sorry file is there",
}
_SELF_EVIDENT = (
    *(Event.ANNOUNCED, Event.BEGAN, Event.BEGAN_UNDRAINED, Event.DRAINED, Event.FILE_APPEARED),
)

Recall = Callable[[str], Window | None]  # a window by its id, as it is

_log = Logger()


class Chronicle:
    """Remembers what was told last, so that the next line tells only what is new."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the monotonic clock, the wall clock
        self._standings: dict[str, Standing] = {}
        self._deserted: set[str] = set()  # sites without a member
        self._unsaved: set[str] = set()

    def clocks(self, now: float, moment: float) -> None:
        """The clocks show the instant `now` and the moment `moment`."""
        before, self._ahead = self._ahead, now - moment
        step = 0.0 if before is None else self._ahead - before
        if abs(step) > STEP:
            _log.warn(
                "the wall clock was set {way} by {step}; windows follow it, but none that is"
                " over comes back",
                way="forward" if step > 0 else "back",
                step=format_duration(abs(step)),
            )

    def standing(self, view: SiteView, standing: Standing, now: float, recall: Recall) -> None:
        """A site stands like this at the instant `now`, and has these members."""
        name = view.site.name
        before = self._standings.get(name, Standing(phase=Phase.LIVE))
        self._standings[name] = standing
        if before is not standing and _told(before) != _told(standing):
            window = None if before.window is None else recall(before.window)
            _log.info(
                "site {site}: {before} -> {phase}{why}",
                site=name,
                before=before.phase.value,
                phase=standing.phase.value,
                why=_why(standing, transition(name, before, standing, now, window)),
            )
        self._members(view)

    def turned(self, turn: Turn) -> None:
        """A member's health has turned, or is doubted."""
        named = {"site": turn.site, "url": turn.url, "why": turn.why}
        match turn.after:
            case Health.RESTING:
                _log.warn(
                    "site {site}: member {url} failed ({why}); it rests for {rest}",
                    rest=format_duration(turn.rest),
                    **named,
                )
            case Health.DOWN:
                _log.warn(
                    "site {site}: member {url} is down (check failed{times}: {why})",
                    times=_times(turn.checks),
                    **named,
                )
            case Health.UP if turn.before is Health.UP:
                _log.warn("site {site}: member {url} failed ({why}); it goes on", **named)
            case Health.UP:
                passed = f" (check passed{_times(turn.checks)})" if turn.checks else ""
                _log.info("site {site}: member {url} is back{passed}", passed=passed, **named)
            case Health.TRIAL:
                pass
            case _:
                assert_never(turn.after)

    def over(self, window: Window) -> None:
        """The end of a window came, or its patience with its members was at an end."""
        named = {"window": window.id, "site": _whose(window)}
        if window.gave_up is None:
            _log.info("window {window} of {site} is over", **named)
            return
        _log.error(
            "window {window} of {site}: no healthy members within {time} after its end; {what}",
            time=format_duration(window.until_healthy or 0.0),
            what="it is over all the same"
            if window.is_final
            else f"it stays until it is ended by hand (sorryctl end {window.id})",
            **named,
        )

    def verified(self, window: Window, site: str) -> None:
        """The members of `site` were found healthy after a window."""
        _log.info(
            "window {window} of {whose} is over{where}: the members are healthy",
            window=window.id,
            whose=_whose(window),
            where="" if window.is_final else f" for {site}",
        )

    def overdue(self, site: Site, standing: Standing, now: float) -> None:
        """A site is down without an end for longer than the configuration wants."""
        since = open_since(standing)
        if since is not None:
            _log.warn("site {site}: {warning}", site=site.name, warning=warning(since, now))

    def unsaved(self, window: Window, why: Failure) -> None:
        """The journal did not take the end of a window; it is asked again at each look."""
        if window.id not in self._unsaved:
            self._unsaved.add(window.id)
            _log.error(
                "the end of window {window} is not in the journal yet: {why}",
                window=window.id,
                why=why.getErrorMessage(),
            )

    def saved(self, window: Window) -> None:
        """The journal has the end of a window."""
        if window.id in self._unsaved:
            self._unsaved.discard(window.id)
            _log.info("the end of window {window} is in the journal now", window=window.id)

    def forget(self, site: str) -> None:
        """A site is gone."""
        self._standings.pop(site, None)
        self._deserted.discard(site)

    def _members(self, view: SiteView) -> None:
        name = view.site.name
        deserted = not any_up(view.members)
        if deserted and name not in self._deserted:
            self._deserted.add(name)
            _log.error("site {site}: no member is up", site=name)
        elif not deserted and name in self._deserted:
            self._deserted.discard(name)
            _log.info("site {site}: a member is up again", site=name)


def _whose(window: Window) -> str:
    return window.site or "every site"


def tell_strays(windows: Iterable[Window], sites: Iterable[str]) -> None:
    """Windows of sites that the configuration does not have hold nothing down."""
    known = (None, *sites)
    strays = (one for one in windows if one.site not in known and not one.is_final)
    for name, site in dict.fromkeys((one.series or one.id, one.site) for one in strays):
        _log.warn(
            "window {window} is of the site {site}, which the configuration does not have",
            window=name,
            site=site,
        )


def tell_deed(entry: HistoryEntry) -> None:
    """Somebody did something."""
    assert entry.author is not None
    _log.info(
        "{name} (uid {uid}, pid {pid}): {verb} {site}{what}{reason}",
        name=entry.author.name,
        uid=entry.author.uid,
        pid=entry.author.pid,
        verb=entry.verb,
        site=entry.site or "every site",
        what="".join(f" {_what(change)}" for change in entry.after),
        reason=f": {entry.reason!r}" if entry.reason else "",
    )


def tell_reload(entry: HistoryEntry, warnings: Iterable[str]) -> None:
    """A new configuration is about to take effect."""
    by = entry.author
    _log.info(
        "{who}: {verb}: {detail}",
        who="sorryd" if by is None else f"{by.name} (uid {by.uid}, pid {by.pid})",
        verb=entry.verb,
        detail=entry.detail,
    )
    tell_warnings(entry, warnings)


def tell_warnings(entry: HistoryEntry, warnings: Iterable[str]) -> None:
    """What is to be said of a deed; whoever asked for it by a signal gets no answer."""
    for text in warnings:
        _log.warn("{verb}: {text}", verb=entry.verb, text=text)


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""


def _what(change: Change) -> str:
    """What was changed; of a window its id, for its standing has a line of its own."""
    match change:
        case WindowPut(window=window):
            return window.id
        case MemberPut(url=url, state=state, weight=weight):
            return f"{url} {state}" + ("" if weight is None else f" with weight {weight}")


def _told(standing: Standing) -> tuple[Phase, Cause | None, str | None, str | None]:
    return standing.phase, standing.cause, standing.window, standing.reason


def _why(standing: Standing, move: Transition | None) -> str:
    """A few words on what happened and on the cause, for the end of a line."""
    words = [] if move is None or move.event in _SELF_EVIDENT else [move.event.value]
    if standing.phase is Phase.ANNOUNCED and standing.next is not None:
        words.append(f"window {standing.next.id}")
    elif standing.cause is not None:
        words.append(_BY[standing.cause])
    if standing.window is not None:
        words.append(f"window {standing.window}")
    reason = f": {standing.reason!r}" if standing.reason else ""
    return f" ({', '.join(words)}{reason})" if words else ""
