"""The page that `sorry_page` of sorryd.ini names, or that stands in for it."""

from __future__ import annotations

import os
from typing import Final

from sorryd.config_keys import Keys
from sorryd.config_values import BadValue, file_bytes
from sorryd.policy.apology import PageFault, compile_page, default_page_path

PAGE: Final = "maintenance.html"  # beside sorryd.ini; else the one that comes with sorryd


def page(keys: Keys) -> tuple[str, str]:
    """The path and the source of a site's page."""
    if keys.has("sorry_page"):
        return keys.one("sorry_page", lambda text: _template(keys.absolute(text)), ("", ""))
    beside = keys.absolute(PAGE)
    try:
        return _template(beside if os.path.exists(beside) else str(default_page_path()))
    except BadValue as bad:
        for text in bad.texts:
            keys.fault("sorry_page", text)
        return "", ""


def _template(path: str) -> tuple[str, str]:
    if os.path.isdir(path):
        raise BadValue(f"{path}: a folder is not supported yet")
    try:
        source = file_bytes(path).decode("utf-8-sig")
        compile_page(source)
    except UnicodeDecodeError as error:
        raise BadValue(f"{path}: not UTF-8 at byte {error.start}") from None
    except PageFault as fault:
        raise BadValue(f"{path}: {fault}") from None
    return path, source
