"""The pages that `sorry_page` of sorryd.ini names, or that stand in for them."""

from __future__ import annotations

import os
import re
from typing import Final

from sorryd.config_keys import Keys
from sorryd.config_values import BadValue, file_bytes
from sorryd.model import PageKind, PageSource
from sorryd.policy.pages import PageFault, compile_page, default_page_path, language_of

PAGE: Final = "maintenance.html"  # beside sorryd.ini; else the one that comes with sorryd

_NAME = re.compile(r"maintenance(?:\.([^.]+))?\.(html|json|txt)")
_TAG = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")


def pages(keys: Keys) -> tuple[PageSource, ...]:
    """A site's pages: the first of a kind is for readers of all languages."""
    if keys.has("sorry_page"):
        return keys.one("sorry_page", lambda text: _named(keys.absolute(text)), ())
    beside = keys.absolute(PAGE)
    page = beside if os.path.exists(beside) else str(default_page_path())
    try:
        return _folder(os.path.dirname(page))
    except BadValue as bad:
        for text in bad.texts:
            keys.fault("sorry_page", text)
        return ()


def _named(path: str) -> tuple[PageSource, ...]:
    """One page for all, or those of a folder."""
    if os.path.isdir(path):
        return _folder(path)
    text = _text(path)
    return (_tried(path, text, PageKind.HTML, language_of(text)),)


def _folder(folder: str) -> tuple[PageSource, ...]:
    """Every page in `folder`, maintenance.html first, then the others that are for all."""
    try:
        names = sorted(os.listdir(folder), key=lambda name: (name.count("."), name))
    except OSError as error:
        raise BadValue(f"{folder}: cannot be read: {error.strerror}") from None
    if PAGE not in names:
        raise BadValue(f"{folder}: there is no {PAGE} in it")
    default = language_of(_text(os.path.join(folder, PAGE)))
    found: dict[tuple[PageKind, str], PageSource] = {}
    faults: list[str] = []
    for name in names:
        named = _NAME.fullmatch(name)
        if named is None:
            continue
        path = os.path.join(folder, name)
        try:
            page = _one(path, named[1], PageKind(named[2]), default)
            other = found.setdefault((page.kind, page.language), page)
            if other is not page:
                raise BadValue(_twice(page, os.path.basename(other.path)))
        except BadValue as bad:
            faults += bad.texts
    if faults:
        raise BadValue(*faults)
    return tuple(found.values())


def _one(path: str, language: str | None, kind: PageKind, default: str) -> PageSource:
    tag = default if language is None else language.lower()
    if not _TAG.fullmatch(tag):
        raise BadValue(f"{path}: {language} is not a language (say ja, de or pt-br)")
    return _tried(path, _text(path), kind, tag)


def _twice(page: PageSource, other: str) -> str:
    return (
        f"{page.path}: {other} is in that language too, {page.language}"
        f' (which {PAGE} says in <html lang="...">)'
    )


def _text(path: str) -> str:
    try:
        return file_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadValue(f"{path}: not UTF-8 at byte {error.start}") from None


def _tried(path: str, text: str, kind: PageKind, language: str) -> PageSource:
    try:
        compile_page(text, language, kind)
    except PageFault as fault:
        raise BadValue(f"{path}: {fault}") from None
    return PageSource(source=text, path=path, kind=kind, language=language)
