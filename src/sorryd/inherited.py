"""Sockets that a supervisor opened for us: socket activation, and those it kept (sd_listen_fds(3)).

The supervisor says by LISTEN_PID for whom they are, by LISTEN_FDS how many there are, from
descriptor 3 on, and by LISTEN_FDNAMES how they are called. Those of a socket unit are its own and
stay open as long as we live, so that a reload may leave one and come back to it. Those that we
gave the supervisor to keep are ours again.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from twisted.logger import Logger

from sorryd.edge.listener import BACKLOG, ListenFault, name_of, path_of
from sorryd.model import Listen

log = Logger()

FIRST: Final = 3
"""The first descriptor that is handed over (SD_LISTEN_FDS_START)."""

OURS: Final = "sorryd-"
"""How the names of those begin that we gave the supervisor to keep (FDNAME=)."""

_DIGITS: Final = 6  # of how many descriptors there are: no process has more
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


class Given(NamedTuple):
    """A descriptor that was handed over."""

    name: str
    fd: int


class Handed(NamedTuple):
    """A socket to listen at, to be closed by who got it.

    One that `is_given` is the supervisor's, and stays open there.
    """

    sock: socket.socket
    is_given: bool


def given_descriptors(environ: MutableMapping[str, str], pid: int) -> tuple[Given, ...]:
    """What was handed over to the process `pid`, which must be this one.

    The variables are removed, so that no program that we start takes them for its own, and the
    descriptors are closed in such a program.
    """
    said = [environ.pop(name, "") for name in _VARIABLES]
    is_number = said[1].isascii() and said[1].isdigit() and len(said[1]) <= _DIGITS
    if said[0] != str(pid) or not is_number:
        return ()
    count = int(said[1])
    names = said[2].split(":") if said[2] else []
    names += ["unknown"] * (count - len(names))  # as sd_listen_fds_with_names(3) has it
    found = tuple(Given(name, FIRST + number) for number, name in enumerate(names[:count]))
    for one in found:
        with contextlib.suppress(OSError):  # it is not open: whoever opens it will say so
            os.set_inheritable(one.fd, False)
    return found


def restore_variables(environ: MutableMapping[str, str]) -> None:
    """Put back into the environment of this process what Twisted has taken out.

    It does so for a use of its own as soon as twisted.internet.endpoints is imported: by parts of
    ours, or by twistd where it can't keep a list of its plugins. They are still there as they were
    when this program began, where there is proc(5).
    """
    with contextlib.suppress(OSError):
        began = Path("/proc/self/environ").read_bytes().split(b"\0")
        for name, _, text in (os.fsdecode(one).partition("=") for one in began):
            if name in _VARIABLES:
                environ.setdefault(name, text)


class Inherited:
    """Listening sockets that were handed over, by name and by address."""

    def __init__(self, given: Iterable[Given] = ()) -> None:
        self._given = tuple(given)
        self._found: list[tuple[str, socket.socket]] = []
        self._wanted: set[socket.socket] = set()

    def open(self) -> None:
        """Look what they are. Raises ListenFault where one is no socket to listen at."""
        while self._given:
            one, *rest = self._given
            self._found.append((one.name, _opened(one)))
            self._given = tuple(rest)

    def has(self, name: str) -> bool:
        """Whether there are any of that name."""
        return any(one == name and not _is_ours(one) for one, _ in self._found)

    def named(self, name: str) -> Sequence[Handed]:
        """Those of that name. Raises ListenFault where there is none."""
        found = [sock for one, sock in self._found if one == name and not _is_ours(one)]
        if not found:
            raise ListenFault(f"systemd:{name}: {self._why_none()}")
        return [self._handed(sock) for sock in found]

    def at(self, listen: Listen) -> Handed | None:
        """The one that is bound to the very address of `listen`."""
        for name, sock in self._found:
            if not _is_at(sock, listen):
                continue
            if not _is_ours(name):
                return self._handed(sock)
            self._found.remove((name, sock))
            return Handed(sock, is_given=False)
        return None

    def evict(self, wanted: Iterable[Listen]) -> tuple[str, ...]:
        """End those that were kept for us and that none of `wanted` is for; their names.

        Nobody else may need them, and their addresses may be wanted in another way.
        """
        wanted = tuple(wanted)
        gone = [
            (name, sock)
            for name, sock in self._found
            if _is_ours(name) and not any(_is_at(sock, listen) for listen in wanted)
        ]
        for one in gone:
            self._found.remove(one)
            end(one[1])
        return tuple(name for name, _ in gone)

    def warn_of_unwanted(self) -> None:
        """Say which of them nobody listens at."""
        for name, sock in self._found:
            if sock not in self._wanted:
                log.warn(
                    "systemd:{name} ({place}) is for no site: who connects there waits in vain",
                    name=name, place=name_of(sock),
                )  # fmt: skip

    def close(self) -> None:
        """Let go of all of them."""
        for _, sock in self._found:
            sock.close()
        self._found.clear()

    def _handed(self, sock: socket.socket) -> Handed:
        self._wanted.add(sock)
        return Handed(sock.dup(), is_given=True)

    def _why_none(self) -> str:
        names = sorted({name for name, _ in self._found if not _is_ours(name)})
        if not names:
            return "no supervisor has opened a socket for sorryd"
        return f"the supervisor has opened none of that name, but {', '.join(names)}"


def end(sock: socket.socket) -> None:
    """Close it for good: also where the supervisor holds it too, nobody can connect any more."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def _opened(one: Given) -> socket.socket:
    try:
        sock = socket.socket(fileno=one.fd)
    except OSError:
        raise _fault(one, "is no socket") from None
    fault = next(_faults(sock), None)
    if fault is not None:
        sock.close()
        raise _fault(one, fault)
    sock.setblocking(False)
    sock.listen(BACKLOG)  # as long as our own
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _faults(sock: socket.socket) -> Iterator[str]:
    if sock.family not in _FAMILIES:
        yield "is neither of IPv4 nor of IPv6, and no UNIX socket"
    if sock.type != socket.SOCK_STREAM:
        yield "is no stream (it takes ListenStream=)"
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        yield "is a connection, or does not listen (it takes Accept=no)"


def _fault(one: Given, why: str) -> ListenFault:
    return ListenFault(f"systemd:{one.name}: descriptor {one.fd} {why}")


def _is_at(sock: socket.socket, listen: Listen) -> bool:
    if sock.family == socket.AF_UNIX:
        path = path_of(sock)
        is_path = listen.path is not None and path.startswith("/")
        return is_path and os.path.realpath(path) == os.path.realpath(listen.path or "")
    host, port = sock.getsockname()[:2]
    return bool((host.partition("%")[0], port) == (listen.host, listen.port))


def _is_ours(name: str) -> bool:
    return name.startswith(OURS)
