"""Completion in bash, zsh and fish: the scripts, and what bash says of the line so far."""

from __future__ import annotations

import os
from typing import Any, Final

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from sorryd.ctl.main import COMPLETES

PROGRAM: Final = "sorryctl"
SHELLS: Final = ("bash", "zsh", "fish")

# click's own passes bash's words, which end at each colon: no URL could be completed.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' item
    COMPREPLY=()
    for item in $(SORRYCTL_LINE="${COMP_LINE:0:COMP_POINT}" SORRYCTL_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null); do
        case "$item" in
            plain,*) COMPREPLY+=("${item#*,}") ;;
            dir,*) compopt -o dirnames 2>/dev/null ;;
            file,*) compopt -o default 2>/dev/null ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""


class Bash(BashComplete):
    """Takes the line as a whole, and says of each answer what bash will put after the last
    of its word breaks."""

    source_template = _BASH

    def source(self) -> str:
        return ShellComplete.source(self)

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("SORRYCTL_LINE", "")
        words = split_arg_string(line)[1:]
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        return words, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        _, incomplete = self.get_completion_args()
        is_broken = ":" in os.environ.get("SORRYCTL_BREAKS", "")
        known = incomplete.rpartition(":")[:2] if is_broken else ("", "")
        return f"{item.type},{item.value.removeprefix(''.join(known))}"


def script(cli: click.Command, shell: str) -> str:
    """What `shell`, one of `SHELLS`, has to read."""
    register()
    kind = get_completion_class(shell)
    assert kind is not None
    return kind(cli, {}, PROGRAM, COMPLETES).source()


def register() -> None:
    """Let click answer bash by ours."""
    add_completion_class(Bash)
