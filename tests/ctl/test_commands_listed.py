"""Which commands there are, and in what order."""

from __future__ import annotations

import re

from click.testing import CliRunner

from sorryd.ctl.commands import THEMES, cli


def test_every_theme_has_its_commands() -> None:
    """The table of commands names each command of each theme, and no other."""
    context = cli.make_context("sorryctl", ["status"])
    for name in THEMES:
        assert cli.get_command(context, name) is not None, name
    assert set(cli.commands) == set(THEMES)


def test_help_lists_commands_by_need() -> None:
    """The help begins with what one needs first."""
    shown = CliRunner().invoke(cli, ["--help"]).stdout
    listed = re.findall(r"^  ([a-z-]+)  ", shown.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(THEMES)
