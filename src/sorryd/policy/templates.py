"""Jinja2 as pages are written in it: sandboxed, and strict about names."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment


def _environment(escapes: bool) -> jinja2.Environment:
    return ImmutableSandboxedEnvironment(
        autoescape=escapes,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: "" if value is None else value,
        trim_blocks=True,
        keep_trailing_newline=True,
    )


_MARKUP: Final = _environment(escapes=True)
_TEXT: Final = _environment(escapes=False)
_FILE_NAME: Final = "<template>"  # as Jinja2 calls a template from a string in a traceback


def environment(is_markup: bool) -> jinja2.Environment:
    """What pages of HTML are made in, where everything is escaped; or others, where nothing is."""
    return _MARKUP if is_markup else _TEXT


def first_fault(tree: nodes.Template, known: Set[str]) -> tuple[int, str] | None:
    """What could only fail later: other files, and variables that are not `known`.

    The line, from 1, and what is wrong there; None if nothing is.
    """
    for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
        return node.lineno, "a page is one file: it can't include or extend another"
    names = list(tree.find_all(nodes.Name))
    # A name set in one branch counts as undeclared in the others; rehearsals judge those.
    own = {name.name for name in names if name.ctx != "load"}
    unknown = meta.find_undeclared_variables(tree) - known - _MARKUP.globals.keys() - own
    for name in names:
        if name.name in unknown:
            text = f"unknown variable {name.name!r}; known are {', '.join(sorted(known))}"
            return name.lineno, text
    return None


def line_of(error: BaseException) -> int:
    """The line of a template that `error` went through last; 1 if none."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
