"""Which commands there are, and in what order."""

from __future__ import annotations

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from sorryd.ctl.commands import THEMES, Exemplified, cli


def found(name: str) -> click.Command:
    """The command of that name."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, name
    return command


def test_every_theme_has_its_commands() -> None:
    """The table of commands names each command of each theme, and no other."""
    for name in THEMES:
        found(name)
    assert set(cli.commands) == set(THEMES)


def test_help_lists_commands_by_need() -> None:
    """The help begins with what one needs first."""
    shown = CliRunner().invoke(cli, ["--help"]).stdout
    rows = re.findall(r"^  ([a-z][a-z, -]*?)  ", shown.partition("Commands:")[2], re.MULTILINE)
    assert [name for row in rows for name in row.split(", ")] == list(THEMES)
    assert "down, disable" in rows


EXAMPLES = [
    pytest.param(name, line, id=line)
    for name in THEMES
    for line in getattr(found(name), "examples", ())
]


@pytest.mark.parametrize("name", THEMES)
def test_help_has_examples(name: str) -> None:
    """The help of each command shows at least one example, as it is typed."""
    command = found(name)
    assert isinstance(command, Exemplified)
    assert command.examples
    shown = CliRunner().invoke(cli, [name, "--help"]).stdout
    assert [f"  {line}" for line in command.examples] == (
        shown.partition("Examples:\n")[2].splitlines()
    )


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_example_is_true(name: str, line: str) -> None:
    """An example calls its own command, with words that it takes, and fits a terminal."""
    words = shlex.split(re.split(r"[|>]|; ", line)[0])
    called, *rest = words[words.index("sorryctl") + 1 :]
    assert found(called) is found(name)
    found(name).make_context(called, rest)
    assert len(line) <= 76
