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
from sorryd.config_keys import DAEMON, DAEMON_LATER, Keys
from sorryd.config_site import Address, site
from sorryd.config_values import BadValue, shown
from sorryd.model import Config, Listen

CONTROL: Final = "/run/sorryd/control.sock"
STATE: Final = "/var/lib/sorryd/sorryd.db"

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
    keys.refuse_others(DAEMON, DAEMON_LATER)
    keys.one("workers", values.workers, 0)
    state = keys.one("state", keys.absolute, STATE)
    zone = keys.one("timezone", values.zone, "") or values.machine_zone(os.environ)
    addresses: list[Address] = []
    sites = [
        site(name, section, state, zone, addresses) for name, section in _sites(document, faults)
    ]
    _check_addresses(addresses)
    return Config(
        file=os.path.abspath(document.file),
        control=keys.one("control", lambda text: _socket_path(keys.absolute(text)), CONTROL),
        state=state,
        timezone=zone,
        sites=tuple(sites),
        control_mode=keys.one("control_mode", values.mode, 0o660),
        control_group=keys.one("control_group", values.group, "") or None,
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


def _socket_path(path: str) -> str:
    if len(path.encode()) > values.SOCKET_PATH_BYTES:
        most = values.SOCKET_PATH_BYTES
        raise BadValue(f"{path}: longer than the {most} bytes that a UNIX socket may have")
    return path


def _check_addresses(addresses: list[Address]) -> None:
    """Note each listener whose address an earlier one has; port 0 is never the same."""
    for index, later in enumerate(addresses):
        for first in addresses[:index]:
            if _overlap(first.listen, later.listen):
                later.keys.fault(
                    "listen",
                    f"{_said(later.listen)} is already listened at "
                    f"({_said(first.listen)}, line {first.line})",
                    later.line,
                )
                break


def _overlap(one: Listen, other: Listen) -> bool:
    """Whether both cannot be listened at: the same, or one is every address of a family."""
    if one.port != other.port or one.port == 0:
        return False
    return one.host == other.host or any(
        every in (one.host, other.host) and (":" in one.host) == (":" in other.host)
        for every in ("0.0.0.0", "::")
    )


def _said(listen: Listen) -> str:
    host = f"[{listen.host}]" if ":" in listen.host else listen.host
    return f"{host}:{listen.port}"
