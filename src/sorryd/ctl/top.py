"""What ``sorryctl top`` shows, as a page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sorryd.ctl.page import Grid, Line, Page, Span, line
from sorryd.ctl.show import WHY, word
from sorryd.ctl.times import relative

if TYPE_CHECKING:
    from sorryd.ctl.rates import Flow, Flows, MemberFlow, SiteFlow

_HEAD = (
    *("MEMBER", "STATE", "HEALTH", "REQ/S", "2XX", "3XX", "4XX", "5XX", "ACTIVE", "KEPT"),
    *("P50", "P99", "OUT/S"),
)
_RIGHT = frozenset(_HEAD[3:])
_CODES = ("2xx", "3xx", "4xx", "5xx")
_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def top_page(flows: Flows) -> Page:
    """All sites with their members."""
    at = datetime.fromisoformat(flows["now"])
    page: Page = [_summary(flows)]
    for site in flows["sites"]:
        page += [line(), _site_line(site, at), _traffic(site), _members(site)]
    return page


def _summary(flows: Flows) -> Line:
    sites = flows["sites"]
    total = sum(site["requests"] for site in sites)
    said = f"{rate(total)} requests/s, {sum(s['connections'] for s in sites)} connections"
    spans = [Span("sorryd", "bold"), Span(f": {said}")]
    if flows["workers"]:
        there = flows["workers"] - flows["missing"]
        style = "bold red" if flows["missing"] else ""
        spans.append(Span(f", {there} of {flows['workers']} workers", style))
    if flows["restarts"]:
        spans.append(Span(f", {flows['restarts']} died since the start", "yellow"))
    return Line(tuple(spans))


def _site_line(site: SiteFlow, at: datetime) -> Line:
    spans = [Span(site["name"], "bold"), Span(": "), word(site["phase"])]
    if site["cause"] is not None:
        spans.append(Span(f", {WHY.get(site['cause'], site['cause'])}"))
    if site["until"] is not None:
        spans.append(Span(f", over {relative(site['until'], at)}"))
    if site["next"] is not None:
        spans.append(Span(f", next window {relative(site['next'], at)}", "dim"))
    return Line(tuple(spans))


def _traffic(site: SiteFlow) -> Line:
    parts = [
        f"{rate(site['requests'])} requests/s",
        f"{site['connections']} connections",
        f"in {size(site['received'])}/s",
        f"out {size(site['sent'])}/s",
        *([f"{site['tunnels']} tunnels"] if site["tunnels"] else []),
        *([f"{site['waiting']} waiting"] if site["waiting"] else []),
    ]
    return line(Span("  "), ", ".join(parts))


def _members(site: SiteFlow) -> Grid:
    own = (Span("(sorryd itself)", "dim"), Span(""), Span(""), *_flow(site["itself"], "", ""))
    rows = [own] if site["itself"]["requests"] else []
    return Grid(_HEAD, (*map(_member, site["members"]), *rows), _RIGHT)


def _member(one: MemberFlow) -> tuple[Span, ...]:
    return (
        Span(one["url"]),
        word(one["state"]),
        word(one["health"]),
        *_flow(one, str(one["in_flight"]), str(one["idle"])),
    )


def _flow(flow: Flow, active: str, kept: str) -> tuple[Span, ...]:
    codes = tuple(Span(rate(flow["codes"].get(kind, 0.0)), _style(kind, flow)) for kind in _CODES)
    return (
        Span(rate(flow["requests"])),
        *codes,
        Span(active),
        Span(kept),
        Span(took(flow["p50"])),
        Span(took(flow["p99"])),
        Span(size(flow["sent"])),
    )


def _style(kind: str, flow: Flow) -> str:
    return "bold red" if kind == "5xx" and flow["codes"].get(kind) else ""


def rate(number: float) -> str:
    """``0``, ``0.5``, ``12``: what happens a second."""
    return f"{number:.1f}" if 0.05 <= number < 9.95 else f"{number:.0f}"


def size(number: float) -> str:
    """Bytes, by the largest unit that fits: ``1.5 MiB``."""
    for unit, step in _SIZES:
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number:.0f} B"


def took(seconds: float | None) -> str:
    """``0.4 ms``, ``12 ms``, ``1.5 s``; a dash where there is nothing to time."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"
