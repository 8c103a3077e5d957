"""The report as text."""

from __future__ import annotations

from collections.abc import Sequence

from bench.proxies import Absent, Proxy
from bench.start import ALLOWED as ALLOWED_START
from bench.start import Start
from bench.verdict import Judged, Row
from bench.window import ALLOWED, Edges


def heading(proxies: Sequence[Proxy], absent: Sequence[Absent], members: str, load: str) -> str:
    """What is compared, and what is not and why."""
    compared = ", ".join(f"{proxy.name} {proxy.version}" for proxy in proxies)
    lines = [f"proxies: {compared}", f"members: {members}; load: {load}"]
    lines += [f"not compared: {each.name}: {each.why}" for each in absent]
    return "\n".join(lines)


def table(rows: Sequence[Row]) -> str:
    """Medians over the rounds; the ratio is the peer's time over sorryd's (higher is better)."""
    form = "{:<10}{:<10}{:>14}{:>14}{:>9}{:>15}"
    lines = [form.format("scenario", "proxy", "CPU us/req", "requests/s", "errors", "theirs/ours")]
    lines += [
        form.format(
            row.scenario,
            row.proxy,
            f"{row.micros:,.1f}",
            f"{row.rate:,.0f}",
            row.errors,
            "" if row.ratio is None else f"{row.ratio:.2f}",
        )
        for row in rows
    ]
    return "\n".join(lines)


def goals(judged: Sequence[Judged]) -> str:
    """Each goal and whether it was reached."""
    return "\n".join(f"{_goal(each):<40}{_outcome(each)}" for each in judged)


def _goal(judged: Judged) -> str:
    goal = judged.goal
    return f"{goal.scenario}: at least {goal.at_least} of {goal.peer}"


def _outcome(judged: Judged) -> str:
    if judged.ratio is None:
        return "not measured"
    return f"{judged.ratio:.2f} {'MISSED' if judged.missed else 'reached'}"


def window(edges: Edges) -> str:
    """When the window's edges were seen."""
    outcome = "reached" if edges.on_time else "MISSED"
    goal = f"window: edges within {ALLOWED * 1000:.0f} ms"
    seen = f"opened {_late(edges.opened)}, closed {_late(edges.closed)}"
    return f"{goal:<40}{seen} {outcome} ({edges.probes} probes, {edges.errors} errors)"


def start(each: Start) -> str:
    """How much longer than nothing a command takes."""
    goal = f"{each.command}: at most {ALLOWED_START * 1000:.0f} ms"
    return f"{goal:<40}{each.over * 1000:.0f} ms {'reached' if each.well else 'MISSED'}"


def _late(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds * 1000:+.0f} ms"
