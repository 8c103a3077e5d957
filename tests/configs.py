"""Texts that stand for sorryd.ini: what is taken of them, and what is said of them."""

from __future__ import annotations

from typing import Final

from sorryd import config, ini
from sorryd.config import ConfigError
from sorryd.model import Config, Site

GOOD: Final = "[site a]\nlisten = 127.0.0.1:80\nmembers = http://10.0.0.1\n"


def load(text: str) -> Config:
    """The configuration in a text that stands for /etc/sorryd/sorryd.ini."""
    return config.build(ini.parse("/etc/sorryd/sorryd.ini", text.encode()))


def site(more: str) -> Site:
    """The site of a good file with more lines in its section."""
    return load(GOOD + more).sites[0]


def refusal(text: str) -> tuple[ini.Fault, ...]:
    """The faults of a text; none if it is taken."""
    try:
        load(text)
    except ConfigError as error:
        return error.faults
    return ()


def faults(text: str) -> list[str]:
    """The faults of a text as an operator reads them, without the file's name."""
    return [str(fault).removeprefix("/etc/sorryd/sorryd.ini:") for fault in refusal(text)]
