"""The manual pages: nothing is missing in them, and man has nothing to complain of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import click
import pytest
from man.pages import pages, write
from man.roff import converted
from tests.documents import ROOT

from sorryd.ctl.commands import THEMES, cli

PAGES: Final = {page.file: page.source for page in pages()}
CONFIGURATION: Final = (ROOT / "docs" / "configuration.md").read_text()
MAN: Final = shutil.which("man")


@pytest.mark.parametrize(
    ("markdown", "roff"),
    [
        ("## Exit status\n", ['.SH "EXIT STATUS"']),
        ("## [site NAME]: more\n", ['.SH "[site NAME]: more"']),
        ("### Checks\n", ['.SS "Checks"']),
        ("one\ntwo\n\nthree\n", [".PP", "one two", ".PP", "three"]),
        ("say `--json` or *not*, **never**", [
            ".PP", "say \\fB\\-\\-json\\fR or \\fInot\\fR, \\fBnever\\fR"]),
        ("`.ini` first\n", [".PP", "\\fB.ini\\fR first"]),
        (".ini first\n", [".PP", "\\&.ini first"]),
        ("a \\ back and `'quote'`", [".PP", "a \\e back and \\fB\\(aqquote\\(aq\\fR"]),
        ("see [the keys](configuration.md#keys), [x](other.md)", [
            ".PP", "see \\fBsorryd.ini\\fR(5), x"]),
        ("![a picture](a.png)\n\ntext\n", [".PP", "text"]),
        ("- one\n  more\n- two\n", [
            ".IP \\(bu 2", "one more", ".IP \\(bu 2", "two"]),
        ("```ini\n[a]\n\n.b = 1\n```\n", [
            ".PP", ".RS 2", ".nf", "[a]", "", "\\&.b = 1", ".fi", ".RE"]),
        ("| key | default | what it does |\n|---|---|---|\n| `a` | `1` | Counts. |\n", [
            ".TP", "\\fBa\\fR", "Counts. Default: \\fB1\\fR."]),
        ("| key | what | like |\n|---|---|---|\n| a | it is long | `b \\| c` |\n", [
            ".TP", "a", "it is long. Like: \\fBb | c\\fR."]),
    ],
)  # fmt: skip
def test_markdown(markdown: str, roff: list[str]) -> None:
    """Each thing that the documents use has its form in a manual page."""
    assert converted(markdown).splitlines() == roff


def shown(page: str) -> str:
    """The text of a page, without what makes it bold."""
    text = re.sub(r"\\f[BIR]|\\&", "", PAGES[page])
    for escape, one in {"\\-": "-", "\\(aq": "'", "\\(dq": '"', "\\(ti": "~"}.items():
        text = text.replace(escape, one)
    return text


@pytest.mark.parametrize("name", THEMES)
def test_every_command(name: str) -> None:
    """sorryctl(1) has each command with its options and its examples."""
    page = shown("sorryctl.1")
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert re.search(rf'^\.SS "([a-z-]+, )?{name}[ ,]', page, re.MULTILINE)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert f"\n{', '.join(parameter.opts)}" in page
    for example in getattr(command, "examples", ()):
        assert f"\n{example}\n" in page


def test_every_key() -> None:
    """sorryd.ini(5) has each key of the tables of the documents."""
    keys = re.findall(r"^\| `([a-z_]+)` \|", CONFIGURATION, re.MULTILINE)
    assert len(keys) > 40
    page = shown("sorryd.ini.5")
    assert [key for key in keys if f".TP\n{key}\n" not in page] == []


def test_every_option_of_the_daemon() -> None:
    """sorryd(8) has what `twistd sorryd --help` offers."""
    from sorryd.options import Options

    page = shown("sorryd.8")
    for name, *_ in (*Options.optParameters, *Options.optFlags):
        assert f"--{name}" in page


@pytest.mark.skipif(MAN is None, reason="man is not installed")
@pytest.mark.parametrize("page", PAGES)
def test_man_shows_it(tmp_path: Path, page: str) -> None:
    """man warns of nothing, and no line of running text is too long for 80 columns."""
    write(tmp_path)
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    words = ["man", "--warnings", "-l", str(tmp_path / page)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=env, check=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) > 50
    # Deeper lines are verbatim: they are as long as they are in the documents.
    assert [line for line in lines if len(line) > 80 and not line.startswith(" " * 9)] == []
