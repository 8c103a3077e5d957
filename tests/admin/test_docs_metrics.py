"""docs/metrics.md tells of every metric, and of none that there is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.admin.views import overview

from sorryd.admin.metrics import families

TEXT: Final = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
SUFFIXES: Final = ("_bucket", "_sum", "_count")

Metric = tuple[str, frozenset[str]]  # its type, and the names of its labels


def told() -> dict[str, Metric]:
    """The rows of the table."""
    row = re.compile(r"^\| `(sorryd_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$", re.MULTILINE)
    return {
        name: (kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels, _ in row.findall(TEXT)
    }


def exposed() -> dict[str, Metric]:
    """What is really told, of a daemon that has something of everything."""
    found = {}
    for family in families(overview()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = frozenset(label for sample in family.samples for label in sample.labels)
        assert family.samples, f"the overview has nothing of {name}"
        found[name] = family.type, labels
    return found


def test_every_metric_is_told() -> None:
    """Names, types and labels are those of the table, both ways."""
    assert told() == exposed()


def test_alerts_ask_for_what_there_is() -> None:
    """Each alert is about metrics of the table, and labels that they have."""
    (rules,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    table = told()
    asked = re.findall(r"(sorryd_\w+)(?:\{(.*?)\})?", rules)
    assert len(asked) >= 8
    for name, selectors in asked:
        base = next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name)
        _, labels = table.get(name) or table[base]
        assert set(re.findall(r"(\w+)[=!]", selectors)) <= labels


def test_series_of_a_member() -> None:
    """As many series as the text says, so that nobody is surprised by their number."""
    fixed, by_phase = map(int, re.findall(r"has (\d+) series and (\d+) for", TEXT)[0])
    series = [
        sample
        for family in families(overview())
        for sample in family.samples
        if sample.labels.get("member") == "http://b"
    ]
    phases = {one.labels["phase"] for one in series if "phase" in one.labels}
    assert len(series) == fixed + by_phase * len(phases)
