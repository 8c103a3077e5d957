"""The control socket as a file: taken over when stale, never stolen, given to the right group."""

from __future__ import annotations

import grp
import os

from twisted.internet import tcp, unix
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.protocol import ServerFactory
from twisted.python.failure import Failure

from sorryd.folders import make_folder
from sorryd.unix_sockets import PathInUse, PathTaken, identity, replacing

_BACKLOG = 50


class ControlSocketError(Exception):
    """The control socket can't be opened; the text says why, and is fit for an operator."""


class ControlSocketInUse(ControlSocketError):
    """Another process answers on the control socket."""


def control_gid(group: str | None) -> int:
    """The gid of the control group: a name, a number, or None for the daemon's own.

    Raises ControlSocketError where there is no such group.
    """
    if group is None:
        return os.getegid()
    if group.isascii() and group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ControlSocketError(f"control_group: there is no group {group!r}") from None


def listen_control(
    reactor: IReactorFDSet, path: str, mode: int, gid: int, factory: ServerFactory
) -> ControlPort:
    """Listen on the UNIX socket `path`, with the permission bits `mode` and the group `gid`.

    A missing folder is made (0755). A socket file that nobody answers on is replaced. Raises
    ControlSocketInUse where somebody answers, ControlSocketError for all else in the way.
    """
    try:
        make_folder(os.path.dirname(os.path.abspath(path)))
        with replacing(path):
            return _open(reactor, path, mode, gid, factory)
    except PathInUse as taken:
        hint = "stop it, or set control in [sorryd] to another path"
        raise ControlSocketInUse(f"control socket {path}: {taken}; {hint}") from None
    except PathTaken as taken:
        raise ControlSocketError(f"control socket {path}: {taken}") from None
    except CannotListenError as error:
        why = getattr(error.socketError, "strerror", None) or error.socketError
        raise ControlSocketError(f"control socket {path}: {why}") from None
    except OSError as error:
        raise ControlSocketError(f"control socket {path}: {error.strerror or error}") from None


class ControlPort(unix.Port):
    """A listening UNIX socket that removes its file at the end only if it is still its own."""

    _file: tuple[int, int] | None = None

    @property
    def path(self) -> str:
        """Where it listens."""
        return os.fsdecode(self._bindPath)

    def startListening(self) -> None:
        super().startListening()
        self._file = identity(self.path)

    def stop(self) -> Deferred[None]:
        """Listen no more, and remove the file."""
        return maybeDeferred(self.stopListening)

    def connectionLost(self, reason: Failure) -> None:
        if self._file is not None and self._file == identity(self.path):
            super().connectionLost(reason)
        else:  # replaced or removed by somebody else: unix.Port would unlink theirs, or raise
            tcp.Port.connectionLost(self, reason)


def _open(
    reactor: IReactorFDSet, path: str, mode: int, gid: int, factory: ServerFactory
) -> ControlPort:
    # The mode is set between bind and listen: nobody can connect before. Closed to all but us
    # until the group is right, whatever the umask.
    port = ControlPort(os.fsencode(path), factory, _BACKLOG, 0o600, reactor)
    port.startListening()
    try:
        os.chown(path, -1, gid)
        os.chmod(path, mode)
    except OSError as error:
        port.stop()
        what = f"can't give it to group {gid} with mode {mode:04o}"
        raise ControlSocketError(f"control socket {path}: {what}: {error.strerror}") from None
    return port
