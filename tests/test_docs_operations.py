"""What docs/operations.md shows is what sorryd says, and what is shipped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.documents import ROOT, Block, blocks, where

TEXT: Final = (ROOT / "docs" / "operations.md").read_text()
UNIT: Final = (ROOT / "etc" / "systemd" / "sorryd.service").read_text()
LEVELS: Final = ("debug", "info", "warn", "error", "critical", "failure")

JOURNAL: Final = re.compile(r"^[A-Z][a-z]{2} \d\d [\d:]{8} \w+ sorryd\[\d+\]: (.*)$", re.M)
"""A line of journalctl."""

FOREIGN: Final = re.compile(
    r"twistd \S+ \(.*\) starting up\.|reactor class: \S+|ControlFactory starting on '.*'"
    r"|Watchdog timeout \(limit 30s\)!"
)
"""What twistd and systemd say."""

BY_WORKER: Final = re.compile(r"^(?:sorryd worker|worker \d+): ")
"""Before what a worker says."""


def formats() -> Iterator[str]:
    """All that the code can log, but what is a placeholder alone."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LEVELS
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and re.sub(r"\{.*?\}", "", text := str(node.args[0].value)).strip(" :;,()")
            ):
                yield text


def matching(form: str) -> str:
    """A regular expression for what is printed by `form`."""
    pieces = re.split(r"\{.*?\}", form)
    return ".*".join(re.escape(piece) for piece in pieces)


SAYABLE: Final = re.compile(
    "|".join({*map(matching, formats())})
    # What is put together elsewhere: deeds, faults of a file, warnings of a certificate.
    + r"|\w+(?: \(uid \d+, pid \d+\))?: daemon\.[a-z]+: .+|/\S+:\d+: \[.*?\] .+"
    + r"|site .+: /\S+ expires in \d+ days|\S+: .+; its last addresses are kept"
    + r"|SIGHUP: /\S+ is refused, and nothing was changed"
)


def shown_lines() -> list[str]:
    """The lines of a log in the document: of journalctl, in blocks of text, and in the table."""
    table = TEXT.split("## When something dies")[1].split("###")[0]
    cells = [row.split(" | ")[2] for row in table.splitlines() if row.startswith("| ")][1:]
    texts = [
        line
        for block in blocks("text")
        if block.where.startswith("operations.md")
        for line in block.text.splitlines()
        if re.match(r"[Sa-z]", line) and not JOURNAL.match(line) and "sorryctl: " not in line
    ]
    return [
        *JOURNAL.findall(TEXT),
        *(said for cell in cells for said in re.findall("`([^`]+)`", cell)),
        *(line for line in texts if not line.startswith(("workers: ", "Module"))),
    ]


@pytest.mark.parametrize("line", sorted(set(shown_lines())))
def test_line_can_be_printed(line: str) -> None:
    """Every line of the log that is shown is one that the code can print."""
    said = BY_WORKER.sub("", line)
    assert FOREIGN.fullmatch(said) or SAYABLE.fullmatch(said)


@pytest.mark.parametrize("line", ["sorryd is upp", "worker 1 has died", "the journal is full"])
def test_wrong_line_is_seen(line: str) -> None:
    """A line that nothing prints is noticed."""
    assert SAYABLE.fullmatch(line) is None


def test_lines_are_found() -> None:
    """The tests above have something to look at."""
    assert len(set(shown_lines())) > 30


def test_unit_is_told_right() -> None:
    """What is said of the unit is in it."""
    table = TEXT.split("| in the unit |")[1].split("\n\n")[0]
    first = "".join(row.split(" | ")[0] for row in table.splitlines())
    told = re.findall(r"`([A-Z]\w+=[^`]*)`", first)
    assert len(told) > 10
    assert [setting for setting in told if f"\n{setting}\n" not in UNIT] == []


def test_folders_are_told_right() -> None:
    """The folders' owners and modes are those of tmpfiles.conf."""
    lines = (ROOT / "etc" / "systemd" / "tmpfiles.conf").read_text()
    for path, mode, user, group in re.findall(r"^d (\S+) (\d+) (\w+) (\w+) -$", lines, re.M):
        assert f"| `{path}` | {user}:{group} {mode} |" in TEXT or path == "/run/sorryd"


@pytest.mark.parametrize(
    "block", [b for b in blocks("dockerfile") if b.where.startswith("operations")], ids=where
)
def test_container_runs_what_the_unit_runs(block: Block) -> None:
    """A container's command is the unit's."""
    (command,) = re.findall(r"^CMD \[(.*)\]$", block.text, re.M)
    (unit,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.M)
    assert [word.strip(' "') for word in command.split(",")] == unit.split()


def test_processes_are_told_right() -> None:
    """The names of processes are those that they give themselves."""
    named = "".join(path.read_text() for path in Path(ROOT / "src/sorryd/workers").glob("*.py"))
    for name in ("sorryd-forks", "sorryd-worker"):
        assert f'call_it("{name}")' in named
        assert f"`{name}`" in TEXT
