"""The manual pages: what is on each, from the documents and from sorryctl's own help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import click
from man.roff import PAGES, converted, escaped, inline, literal, verbatim

from sorryd.ctl.commands import THEMES, cli

ROOT: Final = Path(__file__).parents[1]
_NOT_SHOWN: Final = ("What is said of a wrong value", "Known, and not served yet")
_NAMES: Final = {
    "sorryd": "reverse proxy that plans, keeps and ends maintenance on its own",
    "sorryctl": "look at, plan, begin and end maintenance of sites behind sorryd",
    "sorryd.ini": "configuration of sorryd",
}
_SYNOPSES: Final = {
    "sorryd": ("**twistd** [*options of twistd*] **sorryd** **--config** *FILE* [**--check**]",),
    "sorryctl": (
        "**sorryctl** [**--socket** *PATH* | **--config** *FILE*] [**--json**] *COMMAND* ...",
        "**sorryctl** [*COMMAND*] **--help**",
    ),
    "sorryd.ini": ("*/etc/sorryd/sorryd.ini*",),
}


class Page(NamedTuple):
    """A manual page as a file: its name, such as ``sorryd.8``, and its source."""

    file: str
    source: str


def pages() -> list[Page]:
    """All of them."""
    return [
        Page(f"{name}.{section}", "".join(f"{line}\n" for line in _page(document, name, section)))
        for document, (name, section) in PAGES.items()
    ]


def write(folder: Path) -> dict[Path, str]:
    """Write them into `folder`; where each belongs below a system's ``share``."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for page in pages():
        path = folder / page.file
        path.write_text(page.source, encoding="utf-8")
        written[path] = f"share/man/man{page.file.rpartition('.')[2]}/{page.file}"
    return written


def _page(document: str, name: str, section: int) -> Iterator[str]:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    first, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    yield f'.TH "{name.upper()}" "{section}" "" "sorryd" "sorryd"'
    yield from (".nh", ".ad l")
    yield from (".SH NAME", f"{name} \\- {_NAMES[name]}", ".SH SYNOPSIS", ".nf")
    yield from (inline(line).replace("--", "\\-\\-") for line in _SYNOPSES[name])
    yield from (".fi", ".SH DESCRIPTION", *_lines(re.sub(r"^# .*\n", "", first)))
    for index, part in enumerate(sections):
        if not part.removeprefix("## ").startswith(_NOT_SHOWN):
            yield from _lines(part)
        if name == "sorryctl" and index == 0:
            yield from _commands()
    yield ".SH SEE ALSO"
    others = (f"\\fB{one}\\fR({at})" for one, at in PAGES.values() if one != name)
    yield ", ".join([*others, "\\fBtwistd\\fR(1)"])


def _lines(text: str) -> list[str]:
    return converted(text).splitlines()


def _commands() -> Iterator[str]:
    """All commands of sorryctl, with the options of all, as its help has them."""
    context = click.Context(cli, info_name="sorryctl")
    yield ".SH GLOBAL OPTIONS"
    yield from (".PP", "They may stand before the command or after it.")
    yield from _options(context)
    yield ".SH COMMANDS"
    names: dict[click.Command, list[str]] = {}
    for name in THEMES:
        command = cli.get_command(context, name)
        assert command is not None
        names.setdefault(command, []).append(name)
    for command, all_names in names.items():
        yield from _command(command, all_names, context)


def _command(command: click.Command, names: list[str], parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=names[0], parent=parent)
    usage = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    yield f'.SS "{literal(", ".join(names))} {literal(" ".join(usage))}"'
    for paragraph in (command.help or "").split("\n\n"):
        yield from (".PP", inline(" ".join(paragraph.split())))
    yield from _options(context)
    yield from verbatim(getattr(command, "examples", ()))


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.params:
        if not isinstance(parameter, click.Option):
            continue
        record = parameter.get_help_record(context)  # None for one that is hidden
        if record is not None:
            names, metavar = ", ".join(parameter.opts), parameter.make_metavar(context)
            value = "" if parameter.is_flag else f" \\fI{escaped(metavar)}\\fR"
            yield from (".TP", f"\\fB{literal(names)}\\fR{value}", inline(record[1]))
