"""The command line as a whole: which commands there are, and what they are made of.

The commands themselves are in ``commands_THEME``, of which a call imports only its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import click

from sorryd.ctl import completing
from sorryd.ctl.options import Command, global_options

# All commands, with their themes, in the order in which help lists them: that of need.
THEMES = {
    "status": "sites",
    "down": "sites",
    "disable": "sites",
    "up": "sites",
    "enable": "sites",
    "is-down": "sites",
    "schedule": "windows",
    "windows": "windows",
    "show": "windows",
    "extend": "windows",
    "end": "windows",
    "cancel": "windows",
    "plan": "plan",
    "preview": "preview",
    "members": "members",
    "ready": "members",
    "drain": "members",
    "maint": "members",
    "weight": "members",
    "top": "top",
    "bypass": "bypass",
    "history": "history",
    "watch": "history",
    "calendar": "calendar",
    "reload": "daemon",
    "upgrade": "daemon",
    "check": "daemon",
    "version": "daemon",
    "completion": "completion",
}


class Group(click.Group):
    """Imports a command when it is called, or when all are listed: each with its aliases."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(THEMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in THEMES:
            import_module(f"sorryd.ctl.commands_{THEMES[cmd_name]}")
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in THEMES:
            raise click.UsageError(_no_command(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        names: dict[click.Command, list[str]] = {}  # with aliases
        for name in THEMES:
            if command := self.get_command(ctx, name):
                names.setdefault(command, []).append(name)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(", ".join(ones), one.get_short_help_str(80)) for one, ones in names.items()]
            )


def _no_command(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, THEMES, n=1)
    return f"there is no command {name}" + (f", did you mean {near[0]}" if near else "")


class Exemplified(click.Command):
    """A command whose help ends with examples."""

    def __init__(self, *args: Any, examples: Sequence[str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@global_options(hidden=False)
def cli() -> None:
    """Plan, start and end maintenance of sites behind sorryd.

    Each command tells more with --help, and has examples there.

    SITE left out means every site. MEMBER is its URL, or SITE/URL. D is 90s, 15m, 2h, 1d or
    1h30m. T is 02:00 (the next one), "tomorrow 02:00", "2026-11-22 02:00", RFC 3339, now or +90m.
    """


def command(
    name: str, *aliases: str, examples: Sequence[str]
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function, under `name` and its aliases, which `THEMES` has too.

    `examples` are command lines that work, for the help and the manual page.
    """

    def decorate(function: Callable[..., None]) -> click.Command:
        shared = global_options(hidden=True)(function)
        made = click.command(name, cls=Exemplified, examples=examples)(shared)
        for one in (name, *aliases):
            cli.add_command(made, one)
        return made

    return decorate


site_argument = click.argument("site", required=False, shell_complete=completing.sites)
id_argument = click.argument("window_id", metavar="ID", shell_complete=completing.windows)
member_argument = click.argument("member", shell_complete=completing.members)


def option(name: str, metavar: str, text: str, **more: Any) -> Callable[[Command], Command]:
    """An option with a value."""
    return click.option(f"--{name}", metavar=metavar, help=text, **more)


def reason_in(command: Command) -> Command:
    """The option ``--reason-in``."""
    text = "The reason in another language, such as ja=TEXT. May be repeated."
    return option("reason-in", "LANG=TEXT", text, multiple=True)(command)


def pages() -> ModuleType:
    """The daemon's results as pages, imported only where one is shown."""
    from sorryd.ctl import show

    return show
