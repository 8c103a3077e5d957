"""What configuration.md tells of the access log is so."""

from __future__ import annotations

import json
import re
from typing import Final

from tests.documents import ROOT

from sorryd.edge.access import Access, End
from sorryd.model import LogFormat

CONFIGURATION: Final = (ROOT / "docs" / "configuration.md").read_text()


def told(heading: str) -> list[str]:
    """The words in the first column of a table that begins with `heading`."""
    table = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", CONFIGURATION, re.M)
    assert table is not None
    return [
        word
        for line in table[1].splitlines()
        for word in re.findall("`([a-z_]+)`", line.split("|")[1])
    ]


def test_fields_are_told() -> None:
    """All fields of a JSON line are there, in their order."""
    lines: list[bytes] = []
    access = Access(lines.append, LogFormat.JSON, "UTC", lambda: 0.0)
    caller = access.caller(None, "192.0.2.1", False)
    access.begin(None, caller, False, 0.0).finish(End.REFUSED)
    assert told("field") == list(json.loads(lines[0]))


def test_endings_are_told() -> None:
    """All ways in which a request ends are there."""
    assert told("ended") == [end for end in End if end is not End.UNKNOWN]
