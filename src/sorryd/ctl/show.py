"""The daemon's results as pages. Decides what to say; `page` and `terminal` say how it looks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sorryd.ctl import timeline as timelines
from sorryd.ctl.page import Drawing, Grid, Legend, Line, Page, Span, line
from sorryd.ctl.show_windows import acting, facts, waiting
from sorryd.ctl.timeline import HOURS, PARTIAL, timeline
from sorryd.ctl.times import local, now, relative, span, until

if TYPE_CHECKING:
    from sorryd.ctl.shapes import (
        Instance,
        Member,
        Reload,
        SetMember,
        Site,
        Status,
        Stretch,
        Upgrade,
        Version,
        Window,
        Worker,
    )

_STYLES = {
    "live": "bold green",
    "announced": "bold cyan",
    "draining": "bold yellow",
    "down": "bold red",
    "verifying": "bold magenta",
    "ready": "green",
    "drain": "yellow",
    "maint": "red",
    "up": "green",
    "trial": "yellow",
    "resting": "red",
    "scheduled": "cyan",
}
WHY = {
    "window": "planned window",
    "manual": "by hand",
    "file": "the sorry file is there",
    "members": "no member is available",
}
_LATELY = 3600  # seconds
_LABEL = 9  # columns of a label under a site or in a window


def status_page(status: Status) -> Page:
    """All sites with their members."""
    at = datetime.fromisoformat(status["now"])
    page: Page = []
    drawn: list[Drawing] = []
    for site in status["sites"]:
        page += [*([line()] if page else []), *site_lines(site, at)]
        if site["window"] is not None:
            page += map(_warning, site["window"]["warnings"])
        if ahead := timeline(at, tuple(map(_stretch, site.get("ahead", ())))):
            drawn.append(Drawing(_label("24 h" if ahead.lasts == HOURS else "7 days"), ahead))
            page.append(drawn[-1])
        page.append(members_grid(site["members"]))
    if (text := _troubles(status.get("workers", []), at)) is not None:
        page += [line(), line(Span("workers: ", "bold yellow"), text)]
    return [*page, line(), Legend(tuple(drawn))] if drawn else page


def _troubles(workers: list[Worker], at: datetime) -> str | None:
    """Which workers are missing, or were lately."""
    said = []
    for one in workers:
        if one["pid"] is None:
            said.append(f"{one['number']} is missing")
        elif one["restarted"] is not None and _is_recent(one["restarted"], at):
            times = "once" if one["restarts"] == 1 else f"{one['restarts']} times"
            said.append(f"{one['number']} died {relative(one['restarted'], at)} ({times} in all)")
    return "; ".join(said) or None


def _is_recent(text: str, at: datetime) -> bool:
    return (at - datetime.fromisoformat(text)).total_seconds() < _LATELY


def _stretch(one: Stretch) -> timelines.Stretch:
    phase = PARTIAL if one["partial"] and one["phase"] in {"live", "announced"} else one["phase"]
    start, end = (datetime.fromisoformat(at) for at in (one["from"], one["until"]))
    return timelines.Stretch(phase, start, end)


def sites_page(sites: list[Site]) -> Page:
    """Sites after ``down`` or ``up``, without their members."""
    at = now()
    return [one for site in sites for one in site_lines(site, at)]


def site_lines(site: Site, at: datetime) -> list[Line]:
    """Phase, why, until when, what comes next, and what to look after."""
    lines = [_site_line(site, at)]
    if site["reason"]:
        lines.append(_labelled("reason", site["reason"]))
    if site["window"] is not None:
        lines.append(_labelled("window", site["window"]["id"]))
        if (text := waiting(site["window"])) is not None:
            lines.append(_labelled("waits", text))
    lines += (_labelled("partly", acting(one)) for one in site["partial"])
    if site["next"] is not None:
        lines.append(_labelled("next", _next(site["next"], at)))
    lines += (
        _warning(f"{one['file']} {one['warning']}")
        for one in site["certificates"]
        if one["warning"]
    )
    lines += map(_warning, site["warnings"])
    return lines


def members_page(status: Status) -> Page:
    """The members of each site."""
    page: Page = []
    for site in status["sites"]:
        page += [*([line()] if page else []), line(Span(site["name"], "bold"))]
        page.append(members_grid(site["members"]))
    return page


def member_page(member: SetMember) -> Page:
    """One member after a change."""
    return [line(Span(member["site"], "bold")), members_grid([member])]


def members_grid(members: list[Member]) -> Grid:
    """Members as a table."""
    rows = tuple(
        (
            Span(member["url"]),
            Span(str(member["weight"])),
            Span("standby" if member["standby"] else "", "dim"),
            word(member["state"]),
            word(member["health"]),
            Span(str(member["active"])),
        )
        for member in members
    )
    head = ("MEMBER", "WEIGHT", "ROLE", "STATE", "HEALTH", "ACTIVE")
    return Grid(head, rows, frozenset({"WEIGHT", "ACTIVE"}))


def windows_page(windows: list[Window]) -> Page:
    """Windows as a table; a series with the instance that is open or comes next."""
    if not windows:
        return [line("no windows")]
    recur = any(window["every"] for window in windows)
    rows = tuple(
        (
            Span(window["id"], "bold"),
            Span(_site_name(window)),
            word(window["phase"]),
            Span(local((window["next"] or window)["from"])),
            Span(_end(window["next"] or window)),
            *([Span(window["every"] or "")] if recur else []),
            Span(window["reason"]),
        )
        for window in windows
    )
    head = ("ID", "SITE", "PHASE", "FROM", "UNTIL", *(["EVERY"] if recur else []), "REASON")
    return [Grid(head, rows, prose=True)]


def id_page(window: Window) -> Page:
    """The id of a window, for scripts to keep."""
    return [line(window["id"])]


def window_page(window: Window) -> Page:
    """One window with all that is known of it."""
    at, author = now(), window["author"]
    over = window["ended"] if window["phase"] == "ended" else None
    following = window["next"]
    # The end of one that was over before is no time to wait for.
    end = window["until"] if over in {None, window["until"]} else None
    return [
        line(Span(window["id"], "bold"), "  ", word(window["phase"])),
        _labelled("site", _site_name(window)),
        _labelled("from", f"{local(window['from'])} ({relative(window['from'], at)})"),
        _labelled("until", _end(window) + (f" ({relative(end, at)})" if end else "")),
        *([] if over is None else [_labelled("over", local(over))]),
        *([] if window["every"] is None else [_labelled("every", window["every"])]),
        *([] if following is None else [_labelled("next", _times(following, at))]),
        _labelled("reason", window["reason"] or "-"),
        *([] if window["drain"] is None else [_labelled("drain", span(window["drain"]))]),
        *(_labelled(label, text) for label, text in facts(window)),
        _labelled("zone", window["timezone"]),
        _labelled("by", f"{author['name']} (uid {author['uid']}), {local(window['created'])}"),
        *map(_warning, window["warnings"]),
    ]


def reload_page(reload: Reload) -> Page:
    """What a reload has changed."""
    told = {
        "added": reload["added"],
        "changed": reload["changed"],
        "removed": reload["removed"],
        "sorryd": reload["settings"],
    }
    lines = [_labelled(what, ", ".join(names)) for what, names in told.items() if names]
    return [line("reloaded"), *lines] if lines else [line("reloaded: nothing has changed")]


def upgrade_page(upgrade: Upgrade) -> Page:
    """From which release to which."""
    before, after = upgrade["version"], upgrade["next_version"]
    if before == after:
        return [line(f"sorryd {after} runs anew")]
    return [line(f"sorryd {before} has become ", Span(f"sorryd {after}", "bold"))]


def version_page(version: Version) -> Page:
    """What runs."""
    return [
        line(Span(f"sorryd {version['version']}", "bold")),
        line(f"Python {version['python']}, Twisted {version['twisted']}, {version['openssl']}"),
    ]


def _site_line(site: Site, at: datetime) -> Line:
    spans = [Span(site["name"], "bold"), Span(": "), word(site["phase"])]
    cause, end, words = site["cause"], site["until"], site["until_text"]
    if cause is not None:
        spans.append(Span(f", {WHY.get(cause, cause)}"))
    if end is not None:
        spans.append(Span(f", until {local(end)} ({relative(end, at)})"))
    elif words:
        spans.append(Span(f", until {words}"))
    elif site["phase"] == "verifying":
        spans.append(Span(", until its members are healthy"))
    elif cause in {"manual", "file"}:
        spans.append(Span(", no end set"))
    return Line(tuple(spans))


def _next(window: Window, at: datetime) -> str:
    begins = f"{local(window['from'])} ({relative(window['from'], at)})"
    reason = f": {window['reason']}" if window["reason"] else ""
    ends = until(window["until"], window["from"]) if window["until"] else "no end set"
    return f"{window['id']}, {begins}, until {ends}{reason}"


def _times(one: Instance, at: datetime) -> str:
    return f"{one['id']}, {local(one['from'])} ({relative(one['from'], at)}), until {_end(one)}"


def _end(window: Window | Instance) -> str:
    return local(window["until"]) if window["until"] else "no end set"


def _site_name(window: Window) -> str:
    return "every site" if window["site"] is None else window["site"]


def _labelled(label: str, text: str) -> Line:
    return line(Span(_label(label), "dim"), text)


def _warning(text: str) -> Line:
    return line(Span(_label("warning"), "bold yellow"), text)


def _label(label: str) -> str:
    return f"  {label}:".ljust(_LABEL + 2)


def word(text: str) -> Span:
    """A phase, state or health, in its colour."""
    return Span(text, _STYLES.get(text, ""))
