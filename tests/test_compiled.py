"""What a module must keep to, to be the same compiled as it is as source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LISTED = [
    line
    for line in (ROOT / "building" / "modules.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_list() -> None:
    """Each module once, in order, and all are there."""
    assert sorted(set(LISTED)) == LISTED
    assert all((ROOT / "src" / file).is_file() for file in LISTED)


@pytest.mark.parametrize("file", LISTED)
def test_loggers_are_named(file: str) -> None:
    """Twisted would look for the name in the caller's frame, which compiled code has not."""
    for node in ast.walk(ast.parse((ROOT / "src" / file).read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Logger":
            assert [keyword.arg for keyword in node.keywords] == ["namespace"]
