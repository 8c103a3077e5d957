"""The documents of the project, and the blocks that they show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from sorryd.config import load
from sorryd.model import Config

ROOT: Final = Path(__file__).parents[1]
DOCUMENTS: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


class Block(NamedTuple):
    """A fenced block, and where it begins."""

    where: str
    kind: str
    text: str


def blocks(kind: str) -> list[Block]:
    """All blocks of a kind."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text()
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(f"{path.name}:{line}", match[1], match[2]))
    return [block for block in found if block.kind == kind]


def where(block: Block) -> str:
    """The name of a block among the tests."""
    return block.where


def loaded(folder: Path, text: str) -> Config:
    """`text` as the sorryd.ini of `folder`."""
    file = folder / "sorryd.ini"
    file.write_text(text)
    return load(str(file))
