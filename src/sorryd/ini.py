"""The format of sorryd.ini: bytes into sections, keys and values that know their lines.

This part knows the format and no key but one: `control_path` finds the control socket for
sorryctl. So it imports nothing that takes time to import (no re, no typing, no dataclasses),
and its few classes are written out.

The format::

    ; a comment, also with #, at the start of a line or after white space
    [section]
    key = value
    key =
        deeper lines go on with the value of the key above them,
        each with its own line number

configparser would keep no line numbers and stop at the first duplicate.
"""

from __future__ import annotations

import os
import stat
from io import BufferedReader

LIMIT = 16 * 1024 * 1024  # bytes that a file may have

_BLANK = " \t"
_BOM = b"\xef\xbb\xbf"


class Fault:
    """Something wrong at a line of a file; its str is what the operator reads.

    `section` is the text between the brackets, None before the first section. `key` is None
    where no single key is to blame. A fault of the file as a whole stands at line 1.
    """

    __slots__ = ("file", "key", "line", "section", "text")

    def __init__(
        self, file: str, line: int, section: str | None, key: str | None, text: str
    ) -> None:
        self.file = file
        self.line = line
        self.section = section
        self.key = key
        self.text = " ".join(text.split())

    def __str__(self) -> str:
        section = "" if self.section is None else f"[{self.section}] "
        key = "" if self.key is None else f"{self.key}: "
        return f"{self.file}:{self.line}: {section}{key}{self.text}"

    def __repr__(self) -> str:
        return f"<Fault {self}>"


class Piece:
    """What one line gives to a value; `text` is never empty."""

    __slots__ = ("line", "text")

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        self.text = text


class Entry:
    """A key and the lines of its value; `line` is the key's own."""

    __slots__ = ("indent", "key", "line", "pieces")

    def __init__(self, key: str, line: int, indent: int) -> None:
        self.key = key
        self.line = line
        self.indent = indent
        self.pieces: list[Piece] = []


class Section:
    """A section; `name` is the text between the brackets, with single spaces."""

    __slots__ = ("entries", "line", "name")

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        self.entries: dict[str, Entry] = {}


class Document:
    """A file as read: its sections by name, in order, and what is wrong with its format."""

    __slots__ = ("faults", "file", "sections")

    def __init__(self, file: str) -> None:
        self.file = file
        self.sections: dict[str, Section] = {}
        self.faults: list[Fault] = []


def read(file: str) -> Document:
    """Read a file. One that cannot be read gives a document with a fault and no sections."""
    try:
        with opened(file) as stream:
            data = stream.read(LIMIT + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return _refused(file, f"cannot be read: {why}")
    if len(data) > LIMIT:
        return _refused(file, f"larger than {LIMIT} bytes")
    return parse(file, data)


def opened(file: str) -> BufferedReader:
    """A regular file for reading. Raises OSError, and ValueError for one that is none."""
    kind = os.stat(file).st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # of which the system says as much
        raise ValueError("not a file")  # to open a FIFO would wait for ever
    return open(file, "rb")


def parse(file: str, data: bytes) -> Document:
    """Split a file's bytes into sections and keys; never raises, notes every fault."""
    reader = _Reader(Document(file))
    for number, line in enumerate(data.removeprefix(_BOM).split(b"\n"), 1):
        reader.line(number, line.removesuffix(b"\r"))
    return reader.document


def absolute(file: str, path: str) -> str:
    """The absolute form of a path that stands in `file`: relative to the file's folder."""
    return os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(file)), path))


def control_path(file: str) -> str | None:
    """Where the control socket of a daemon with this file is.

    None where the file cannot be read, or does not name one in a single line.
    """
    section = read(file).sections.get("sorryd")
    entry = None if section is None else section.entries.get("control")
    if entry is None or len(entry.pieces) != 1:
        return None
    return absolute(file, entry.pieces[0].text)


def _refused(file: str, why: str) -> Document:
    document = Document(file)
    document.faults.append(Fault(file, 1, None, None, why))
    return document


class _Reader:
    """Takes a file line by line. A bad line swallows the deeper lines below it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._section: Section | None = None
        self._entry: Entry | None = None

    def line(self, number: int, raw: bytes) -> None:
        text = self._decoded(number, raw)
        bare = _without_comment(text).rstrip(_BLANK)
        content = bare.lstrip(_BLANK)
        if not content:
            return
        indent = len(bare) - len(content)
        if self._entry is not None and indent > self._entry.indent:
            self._entry.pieces.append(Piece(number, content))
        elif content.startswith("["):
            self._header(number, content)
        else:
            self._key(number, indent, content)

    def _decoded(self, number: int, raw: bytes) -> str:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            self._fault(number, None, f"byte 0x{raw[error.start]:02x} is not UTF-8")
            text = raw.decode("utf-8", "replace")
        if text.isprintable():
            return text
        bad = [character for character in text if _is_control(character)]
        if bad:
            self._fault(number, None, f"control character 0x{ord(bad[0]):02x}")
        for character in set(bad):
            text = text.replace(character, "\ufffd")
        return text

    def _header(self, number: int, content: str) -> None:
        inner, closed, rest = content[1:].partition("]")
        name = " ".join(inner.split())
        section = self.document.sections.get(name)
        self._entry = None
        self._section = section or Section(name, number)
        if not closed:
            self._fault(number, None, "the ] after the section's name is missing")
        elif not name:
            self._fault(number, None, "a section without a name")
        elif section is not None:
            self._fault(number, None, f"the section is already at line {section.line}")
        else:
            self.document.sections[name] = self._section
        if rest.strip(_BLANK):
            self._fault(number, None, f"text after the section's name: {rest.strip(_BLANK)}")

    def _key(self, number: int, indent: int, content: str) -> None:
        before, equals, after = content.partition("=")
        key = before.rstrip(_BLANK)
        self._entry = Entry(key, number, indent)
        if after.strip(_BLANK):
            self._entry.pieces.append(Piece(number, after.strip(_BLANK)))
        if not equals:
            self._fault(number, None, f"neither a [section] nor a key = value: {content}")
        elif not key:
            self._fault(number, None, "a value without a key")
        elif self._section is None:
            self._fault(number, key, "stands before the first [section]")
        elif key in self._section.entries:
            first = self._section.entries[key].line
            self._fault(number, key, f"is already at line {first}")
        else:
            self._section.entries[key] = self._entry

    def _fault(self, number: int, key: str | None, text: str) -> None:
        section = None if self._section is None else self._section.name
        self.document.faults.append(Fault(self.document.file, number, section, key, text))


def _without_comment(text: str) -> str:
    """The text up to a ``;`` or ``#`` that is first on the line or after white space."""
    if ";" not in text and "#" not in text:
        return text
    for index, character in enumerate(text):
        if character in ";#" and (index == 0 or text[index - 1] in _BLANK):
            return text[:index]
    return text


def _is_control(character: str) -> bool:
    """Whether it is a C0 or C1 control character or DEL; a tab is white space here."""
    return character != "\t" and (character < " " or "\x7f" <= character <= "\x9f")
