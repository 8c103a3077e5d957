"""How this daemon was started, and how another one of its kind is started in its place."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from twisted.logger import Logger

log = Logger()

_DAEMON: Final = "SORRYD_DAEMON"
"""The variable of the environment that has the pid of a daemon that becomes another release."""

_STAYS: Final = ("-n", "--logfile=twistd.log")
"""Options of twistd for what is a daemon already: it logs where it did."""

_PIDFILE: Final = "SORRYD_PIDFILE"
"""The same, of a pidfile that stays."""

_OLD: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", _DAEMON, _PIDFILE)


class Program(NamedTuple):
    """The command line of this process, as it was given.

    `python` is the interpreter with its own arguments and the script, `arguments` are those of
    twistd. `folder` is where it was started, `environment` what it had then. `pidfile` is "" where
    there is none; `log_file` is "" where twistd logs elsewhere.
    """

    python: Sequence[str]
    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    is_daemon: bool = False
    pidfile: str = ""
    log_file: str = ""

    @property
    def again(self) -> list[str]:
        """The command line that starts it in this very process: a daemon is one already."""
        stays = _STAYS if self.is_daemon and self.arguments[:2] != _STAYS else ()
        return [*self.python, *stays, *self.arguments]  # of an option that is there twice, the last

    @property
    def surroundings(self) -> dict[str, str]:
        """The environment for it."""
        return (
            {**self.environment, _DAEMON: str(os.getpid())}
            if self.is_daemon
            else dict(self.environment)
        )

    def unwritable_log(self) -> str | None:
        """The path of the log that the next one could not open, who would end then.

        root may have opened it, and be another user now.
        """
        path = os.path.join(self.folder, self.log_file)
        mode = os.R_OK | os.W_OK  # as twistd opens it
        if not os.path.exists(path):
            path, mode = os.path.dirname(path), os.W_OK | os.X_OK
        return None if not self.log_file or os.access(path, mode) else path

    def asking(self, question: str) -> list[str]:
        """The command line that only asks it something, by an option such as ``--check``."""
        return [*self.python, *self.arguments, question]


def is_daemon_already() -> bool:
    """Whether this process is a daemon that has become another release."""
    return os.environ.get(_DAEMON) == str(os.getpid())


def has_pidfile_already() -> bool:
    """Whether the release before, in this very process, had a pidfile that it could not remove."""
    return os.environ.get(_PIDFILE) == str(os.getpid())


def program_of(is_daemon: bool, pidfile: str, log_file: str) -> Program:
    """That of this process. Its environment is as it is now."""
    count = len(sys.argv) - 1
    original = sys.orig_argv[1:]
    return Program(
        python=(sys.executable, *original[: len(original) - count]),
        arguments=tuple(original[len(original) - count :]),
        folder=os.getcwd(),
        environment={key: text for key, text in os.environ.items() if key not in _OLD},
        is_daemon=is_daemon,
        pidfile=pidfile,
        log_file=log_file,
    )


def become(program: Program) -> NoReturn:
    """Run it in this process, which stays the same one to everybody else.

    All descriptors but those of standard input and output are closed by that; signals that are
    blocked stay so. Where it can't be run, this process ends with status 1: whoever supervises it
    may start another one.
    """
    try:
        surroundings = program.surroundings
        os.chdir(program.folder)
        if program.pidfile:  # or twistd takes it for that of another one
            surroundings |= _removed(program.pidfile)
        os.execve(program.python[0], program.again, surroundings)
    except OSError as why:
        log.critical("the upgrade has failed: {why}", why=str(why))
        os._exit(1)


def _removed(pidfile: str) -> dict[str, str]:
    """Remove it; what to add to the environment where only root can."""
    try:
        os.unlink(pidfile)
    except FileNotFoundError:
        pass
    except PermissionError:
        return {_PIDFILE: str(os.getpid())}
    return {}
