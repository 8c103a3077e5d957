"""The project's Markdown as the source of a manual page (man(7)). Pure.

Of Markdown it knows what the documents use: headings, paragraphs, lists of one level, fenced
blocks, tables, code, emphasis, links, and pictures, which are left out. A table becomes a list of
its rows, named by the first column: a terminal is too narrow for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

# What is written about in a manual page of its own.
PAGES: Final = {
    "sorryd.md": ("sorryd", 8),
    "sorryctl.md": ("sorryctl", 1),
    "configuration.md": ("sorryd.ini", 5),
}
_INLINE: Final = re.compile(
    r"(?P<image>!\[[^\]]*\]\([^)]+\))|`(?P<code>[^`]+)`|\*\*(?P<bold>[^*]+)\*\*|(?<![\w*])\*(?P<emphasis>[^*\s][^*]*)\*"
    r"|\[(?P<text>[^\]]+)\]\((?P<link>[^)]+)\)"
)
_CELL: Final = re.compile(r"(?<!\\)\|")


def converted(text: str) -> str:
    """The lines of a manual page that say what `text` says."""
    return "".join(f"{line}\n" for block in _blocks(text) for line in _block(block))


def escaped(text: str) -> str:
    """`text` as it is, in the running text of a page."""
    return text.replace("\\", "\\e").replace("~", "\\(ti").replace("^", "\\(ha")


def literal(text: str) -> str:
    """`text` that somebody may copy: its hyphens and quotes are what they are in ASCII."""
    known = {"-": "\\-", "'": "\\(aq", "`": "\\(ga", '"': "\\(dq"}
    return "".join(known.get(one, one) for one in escaped(text))


def inline(text: str) -> str:
    """Running `text` with its code in bold, its emphasis in italics, its links by name."""
    shown, end = "", 0
    for match in _INLINE.finditer(text):
        shown += escaped(text[end : match.start()]) + _marked(match)
        end = match.end()
    return guarded(shown + escaped(text[end:]))


def guarded(line: str) -> str:
    """`line`, which may begin with what else would be a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def verbatim(lines: Sequence[str]) -> Iterator[str]:
    """A block that is shown as it is."""
    yield from (".PP", ".RS 2", ".nf")
    yield from (guarded(literal(line)) for line in lines)
    yield from (".fi", ".RE")


def _marked(match: re.Match[str]) -> str:
    if match["image"]:
        return ""
    if match["code"]:
        return f"\\fB{literal(match['code'])}\\fR"
    if match["bold"]:
        return f"\\fB{escaped(match['bold'])}\\fR"
    if match["emphasis"]:
        return f"\\fI{escaped(match['emphasis'])}\\fR"
    page = PAGES.get(match["link"].partition("#")[0])
    if page is not None:
        return f"\\fB{page[0]}\\fR({page[1]})"
    return escaped(match["text"].strip("`"))


def _blocks(text: str) -> Iterator[list[str]]:
    """Headings, fenced blocks, tables, lists and paragraphs, each by its lines."""
    for is_code, part in enumerate_fences(text):
        if is_code:
            yield part
            continue
        for is_blank, lines in groupby(part, key=lambda line: not line.strip()):
            if not is_blank:
                yield from _split(list(lines))


def enumerate_fences(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The lines of `text` in parts: those between fences, with the opening one, and the others."""
    part: list[str] = []
    is_code = False
    for line in text.splitlines():
        if line.startswith("```"):
            yield is_code, part
            part, is_code = [] if is_code else [line], not is_code
        else:
            part.append(line)
    yield is_code, part


def _split(lines: list[str]) -> Iterator[list[str]]:
    """Lines without a blank one between them, parted where another item or heading begins."""
    block: list[str] = []
    for line in lines:
        if block and (line.startswith(("- ", "#")) or block[0].startswith("#")):
            yield block
            block = []
        block.append(line)
    yield block


def _block(lines: list[str]) -> Iterator[str]:
    first = lines[0]
    if first.startswith("```"):
        yield from verbatim(lines[1:])
    elif first.startswith("#"):
        level, _, title = first.partition(" ")
        # A section of sorryd.ini keeps its name as it is written.
        is_named = level != "##" or "[" in title
        yield f".S{'H' if level == '##' else 'S'} {_title(title if is_named else title.upper())}"
    elif first.startswith("|"):
        yield from _table(lines)
    elif first.startswith("- "):
        yield ".IP \\(bu 2"
        yield inline(" ".join([first[2:], *(line.strip() for line in lines[1:])]))
    else:
        text = inline(" ".join(line.strip() for line in lines))
        yield from (".PP", text) if text else ()


def _title(text: str) -> str:
    return f'"{inline(text)}"'


def _table(lines: list[str]) -> Iterator[str]:
    """Each row by its first cell, then what has the most to say, then the rest with their names."""
    head, _, *rows = [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in lines]
    rows = [[cell.replace("\\|", "|") for cell in row] for row in rows]
    text = max(range(1, len(head)), key=lambda at: sum(len(row[at]) for row in rows))
    for row in rows:
        yield ".TP"
        yield inline(row[0])
        others = (
            f" {name[0].upper()}{name[1:]}: {cell}."
            for at, (name, cell) in enumerate(zip(head, row, strict=True))
            if cell and at not in (0, text)
        )
        told = row[text] + ("" if row[text].endswith((".", "?", "!")) else ".")
        yield inline(told + "".join(others))
