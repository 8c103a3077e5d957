"""The command that makes a shell complete the others."""

from __future__ import annotations

import click

from sorryd.ctl.commands import cli, command
from sorryd.ctl.shells import SHELLS, script


@command(
    "completion",
    examples=[
        "sorryctl completion bash > /etc/bash_completion.d/sorryctl",
        'sorryctl completion zsh > "${fpath[1]}/_sorryctl"',
        "sorryctl completion fish > ~/.config/fish/completions/sorryctl.fish",
    ],
)
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """What lets a shell complete sites, windows, options and so on."""
    click.echo(script(cli, shell), nl=False)
