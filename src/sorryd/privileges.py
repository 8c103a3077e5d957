"""Who sorryd is, once its addresses are bound: `user` and `group` of ``[sorryd]``.

All that is opened later, and again at each reload, is opened as that user: what it can't read is
refused at the start, and not in a night months later.
"""

from __future__ import annotations

import grp
import os
import pwd
import sys
from typing import NamedTuple

from sorryd.config import ConfigError, load
from sorryd.folders import make_folder
from sorryd.model import Config


class PrivilegeFault(Exception):
    """sorryd can't become the user that it should; its str is one line for a person."""


class Identity(NamedTuple):
    """A user and a group, and the supplementary groups with them."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def take_identity(config: Config) -> None:
    """Become the `user` and `group` of `config`, and see that its file can be read as such.

    Missing folders of the journal and the control socket are made, and given to that user. Raises
    PrivilegeFault.
    """
    if config.user is None and config.group is None:
        return
    wanted = _wanted(config)
    if _is(wanted):
        return
    _give_folders(config, wanted)
    code = [path for path in sys.path if os.path.exists(path)]
    _become(config, wanted)
    for path in code:
        if not os.access(path, os.R_OK):
            raise PrivilegeFault(f"as {_asked(config)}: {path}, with code of sorryd, can't be read")
    try:
        load(config.file)
    except ConfigError as refused:
        more = len(refused.faults) - 1
        also = f" (and {more} more)" if more else ""
        raise PrivilegeFault(f"as {_asked(config)}: {refused.faults[0]}{also}") from None


def _wanted(config: Config) -> Identity:
    try:
        person = pwd.getpwuid(os.geteuid()) if config.user is None else pwd.getpwnam(config.user)
        gid = person.pw_gid if config.group is None else grp.getgrnam(config.group).gr_gid
        groups = (gid,) if config.user is None else os.getgrouplist(person.pw_name, gid)
    except KeyError as why:
        raise PrivilegeFault(f"{_asked(config)}: {why.args[0]}") from None
    return Identity(person.pw_uid, gid, tuple(groups))


def _is(wanted: Identity) -> bool:
    """Whether that is who we are, for good."""
    uids, gids = set(os.getresuid()), set(os.getresgid())
    return (uids, gids) == ({wanted.uid}, {wanted.gid})


def _give_folders(config: Config, wanted: Identity) -> None:
    for path in (config.state, config.control):
        folder = os.path.dirname(path)
        if os.path.isdir(folder):
            continue
        try:
            make_folder(folder)
            os.chown(folder, wanted.uid, wanted.gid)
        except OSError as why:
            raise PrivilegeFault(f"{folder}: can't be made: {why.strerror}") from None


def _become(config: Config, wanted: Identity) -> None:
    try:
        os.setgroups(wanted.groups)
        os.setresgid(wanted.gid, wanted.gid, wanted.gid)
        os.setresuid(wanted.uid, wanted.uid, wanted.uid)
    except PermissionError:
        raise PrivilegeFault(f"{_asked(config)}: {_why_not()}") from None
    except OSError as why:
        raise PrivilegeFault(f"{_asked(config)}: {why.strerror}") from None


def _why_not() -> str:
    """What an operator should know who may not become somebody else."""
    if os.geteuid() == 0:
        return "root may not become another here: that takes CAP_SETUID and CAP_SETGID"
    return (
        "only root can become another, and sorryd was started by the user "
        f"{name_of(os.geteuid())}: start it as root, or leave the key out"
    )


def _asked(config: Config) -> str:
    keys = (("user", config.user), ("group", config.group))
    return ", ".join(f"{key} = {name}" for key, name in keys if name is not None)


def name_of(uid: int) -> str:
    """The user's name; his number where he has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
