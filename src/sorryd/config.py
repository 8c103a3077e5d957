"""sorryd.ini into a `Config`, or everything that is wrong with it.

Reads the file and those that it names (page, certificates, CA files); changes nothing and
listens nowhere, so a running daemon can test a new file with it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from typing import Final

from sorryd import config_values as values
from sorryd import ini
from sorryd.config_addresses import bound_address, nameserver, socket_path
from sorryd.config_keys import DAEMON, Keys
from sorryd.config_reach import Reach, check_reaches
from sorryd.config_site import site
from sorryd.config_values import BadValue, shown
from sorryd.model import Config, LogFormat

CONTROL: Final = "/run/sorryd/control.sock"
STATE: Final = "/var/lib/sorryd/sorryd.db"
DAY: Final = 86400.0  # seconds; what down_limit = 0 means

_SITE_NAME = re.compile(r"[A-Za-z0-9_.-]+")


class ConfigError(Exception):
    """A file that is refused; `faults` has all that is wrong with it, by line."""

    def __init__(self, faults: tuple[ini.Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def load(path: str) -> Config:
    """Read and check a file. Raises ConfigError with every fault."""
    return build(ini.read(path))


def build(document: ini.Document) -> Config:
    """Check a file that was read. Raises ConfigError with every fault."""
    faults = list(document.faults)
    config = _config(document, faults)
    if not config.sites and not faults:
        faults.append(ini.Fault(document.file, 1, None, None, "there is no [site NAME]"))
    if faults:
        raise ConfigError(tuple(sorted(faults, key=lambda fault: fault.line)))
    return config


def _config(document: ini.Document, faults: list[ini.Fault]) -> Config:
    section = document.sections.get("sorryd", ini.Section("sorryd", 1))
    keys = Keys(document.file, section, faults)
    keys.refuse_others(DAEMON)
    state = keys.one("state", keys.absolute, STATE)
    zone = keys.one("timezone", values.zone, "") or values.machine_zone(os.environ)
    control = keys.one("control", lambda text: socket_path(keys.absolute(text)), CONTROL)
    workers = keys.one("workers", values.workers, 0)
    reaches: list[Reach] = []
    sites = [
        site(name, section, state, zone, workers, reaches)
        for name, section in _sites(document, faults)
    ]
    check_reaches(reaches, control)
    return Config(
        file=os.path.abspath(document.file),
        control=control,
        state=state,
        timezone=zone,
        sites=tuple(sites),
        control_mode=keys.one("control_mode", values.mode, 0o660),
        control_group=keys.one("control_group", values.group, "") or None,
        nameserver=keys.one("nameserver", nameserver, None),
        access_log=keys.one("access_log", lambda text: _log_path(keys, text), ""),
        access_log_format=keys.one(
            "access_log_format", values.choice(LogFormat), LogFormat.COMBINED
        ),
        down_limit=keys.one("down_limit", values.duration(0.0), 0.0) or DAY,
        workers=workers,
        shutdown=keys.one("shutdown", values.duration(0.0), 30.0),
        retire=keys.one("retire", values.duration(1.0), 600.0),
        user=keys.one("user", values.user, "") or None,
        group=keys.one("group", values.group, "") or None,
        admin=keys.one("admin", bound_address, None),
    )


def _sites(document: ini.Document, faults: list[ini.Fault]) -> Iterator[tuple[str, Keys]]:
    """The sites' names and keys; a section that is none is a fault, and its keys unseen."""
    for section in document.sections.values():
        kind, _, name = section.name.partition(" ")
        keys = Keys(document.file, section, faults)
        if kind == "site" and not name:
            keys.fault(None, "a site needs a name: [site NAME]")
        elif kind == "site" and not _SITE_NAME.fullmatch(name):
            keys.fault(None, "a site's name is made of letters, digits, and . _ -")
        elif kind == "site":
            yield name, keys
        elif section.name != "sorryd":
            close = difflib.get_close_matches(shown(kind).lower(), ("sorryd", "site"), n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            keys.fault(None, f"unknown section{hint}; there are [sorryd] and [site NAME]")


def _log_path(keys: Keys, text: str) -> str:
    """``-`` for stdout, else the path of a file in a folder that is there."""
    if text == "-":
        return text
    path = keys.absolute(text)
    if os.path.isdir(path):
        raise BadValue(f"{path}: is a folder")
    if not os.path.isdir(os.path.dirname(path)):
        raise BadValue(f"{path}: there is no folder {os.path.dirname(path)}")
    return path
