"""The report, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.memory import Rest
from bench.proxies import Absent, Proxy
from bench.scenarios import PLANS
from bench.start import ALLOWED as ALLOWED_START
from bench.start import Start
from bench.verdict import Judged, Round, Row
from bench.window import ALLOWED, Edges


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All that a run found."""

    proxies: dict[str, str]  # their versions
    rounds: list[Round]
    judged: list[Judged]
    rests: list[Rest]
    edges: Edges | None
    starts: list[Start]

    @property
    def well(self) -> bool:
        """Whether all that must be was reached, without an error."""
        return (
            not any(each.missed for each in self.judged)
            and not any(each.measured.errors for each in self.rounds)
            and all(each.well for each in self.starts)
            and (self.edges is None or self.edges.well)
        )


def heading(proxies: Sequence[Proxy], absent: Sequence[Absent], members: str, load: str) -> str:
    """What is compared, and what is not and why."""
    compared = ", ".join(f"{proxy.name} {proxy.version}" for proxy in proxies)
    lines = [f"proxies: {compared}", f"members: {members}; load: {load}"]
    lines += [f"not compared: {each.name}: {each.why}" for each in absent]
    return "\n".join(lines)


def table(rows: Sequence[Row]) -> str:
    """Medians over the rounds; the ratio is the peer's time over sorryd's (higher is better)."""
    form = "{:<20}{:<10}{:>10} {:<12}{:>12}{:>9}{:>9}{:>8}{:>13}"
    head = ("scenario", "proxy", "CPU us", "a", "a second", "p50 us", "p99 us", "errors")
    return "\n".join(
        [
            form.format(*head, "theirs/ours"),
            *(
                form.format(
                    row.scenario,
                    row.proxy,
                    f"{row.micros:,.1f}",
                    PLANS[row.scenario].unit,
                    f"{row.rate:,.0f}",
                    f"{row.p50:,.0f}" if row.p50 else "",
                    f"{row.p99:,.0f}" if row.p99 else "",
                    row.errors,
                    "" if row.ratio is None else f"{row.ratio:.2f}",
                )
                for row in rows
            ),
        ]
    )


def verdicts(judged: Sequence[Judged]) -> str:
    """A line for each row of the table of goals: its value, both aims and the verdict."""
    form = "{:<22}{:<12}{:>8}{:>8}{:>10}  {}"
    lines = [form.format("judged", "in", "value", "goal", "at least", "verdict")]
    lines += [
        form.format(
            each.what,
            each.unit,
            "" if each.value is None else f"{each.value:.2f}",
            "" if each.goal is None else f"{each.goal:g}",
            f"{'<= ' if each.lower else ''}{each.at_least:g}",
            each.outcome,
        )
        for each in judged
    ]
    return "\n".join(lines)


def memory(rests: Sequence[Rest]) -> str:
    """What connections at rest take, of each proxy."""
    return "\n".join(
        f"memory of a connection at rest, {'TLS' if secure else 'plain'}: "
        + ", ".join(f"{each.proxy} {each.kib:.1f} KiB" for each in rests if each.secure is secure)
        for secure in (False, True)
    )


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


def write(results: Results, file: Path) -> None:
    """Write all of it as JSON, with the verdicts as words. Raises OSError."""
    told = msgspec.to_builtins(results)
    for judged, plain in zip(results.judged, told["judged"], strict=True):
        plain["verdict"] = str(judged.outcome)
    told["well"] = results.well
    file.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
