"""The tables of docs/http.md, read as the cases that they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tests.documents import ROOT

from sorryd.model import Value

HTTP: Final = (ROOT / "docs" / "http.md").read_text()
_ESCAPES: Final = {"t": b"\t", "r": b"\r", "n": b"\n", "\\": b"\\"}


class Row(Value, frozen=True):
    """One row of a table: its cells, as they are written."""

    cells: tuple[str, ...]

    def code(self, at: int) -> tuple[bytes, ...]:
        """The pieces of code in a cell, as the bytes that they stand for."""
        return tuple(map(unescaped, re.findall(r"`([^`]*)`", self.cells[at])))

    def words(self, at: int) -> Sequence[str]:
        """What is said in a cell besides its code."""
        return re.sub(r"`[^`]*`", " ", self.cells[at]).split()


def unescaped(text: str) -> bytes:
    """The bytes that a piece of code stands for."""

    def byte(found: re.Match[str]) -> str:
        escape = found[1]
        data = bytes.fromhex(escape[1:]) if escape[0] == "x" else _ESCAPES[escape]
        return data.decode("latin-1")

    plain = text.encode().decode("latin-1")
    return re.sub(r"\\(x[0-9a-f]{2}|.)", byte, plain).encode("latin-1")


def rows(heading: str) -> list[Row]:
    """The rows of all tables whose heading begins with these cells."""
    found = []
    for table in re.finditer(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", HTTP, re.M):
        for line in table[1].splitlines():
            cells = line.strip().removeprefix("|").removesuffix("|").split(" |")
            found.append(Row(tuple(cell.strip() for cell in cells)))
    return found


def name(row: Row) -> str:
    """The name of a row among the tests."""
    return " ".join(row.cells[:2]).replace("`", "")
