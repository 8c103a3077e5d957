"""``twistd sorryd``'s own options, and --check."""

from __future__ import annotations

import os
import sys
from typing import Final

from twisted.python import usage

from sorryd.config import ConfigError, load
from sorryd.control.versions import sorryd_version
from sorryd.journal_log import JOURNAL_OBSERVER, leads_to_journal
from sorryd.model import Config
from sorryd.program import Program, has_pidfile_already, is_daemon_already, program_of
from sorryd.reactors import take_uvloop


class Options(usage.Options):
    """What may stand behind ``twistd sorryd``. A file that is refused ends the process."""

    optParameters: Final = [["config", "c", None, "The configuration, sorryd.ini"]]
    optFlags: Final = [["check", None, "Check the configuration, say what is wrong, and exit"]]
    longdesc = "A reverse proxy that plans, keeps and ends maintenance on its own."

    configuration: Config
    _pidfile: str

    @property
    def is_daemon(self) -> bool:
        """Whether twistd leaves the terminal."""
        assert self.parent is not None  # the options of twistd
        return not self.parent["nodaemon"] or is_daemon_already()

    @property
    def program(self) -> Program:
        """How this process was started; twistd must not have left the terminal yet."""
        assert self.parent is not None
        return program_of(self.is_daemon, self._pidfile, self._log_file)

    @property
    def _log_file(self) -> str:
        """Where twistd logs, from where it was started; "": to no file."""
        twistd = self.parent
        assert twistd is not None
        if twistd.get("syslog") or twistd.get("logger"):
            return ""
        path = twistd.get("logfile") or ("" if twistd["nodaemon"] else "twistd.log")
        return "" if path in ("", "-") else os.path.join(twistd.get("rundir", "."), path)

    def opt_version(self) -> None:
        """Say the version, and exit."""
        print(f"sorryd {sorryd_version()}")
        sys.exit(0)

    def postOptions(self) -> None:
        path = self["config"]
        if path is None:
            raise usage.UsageError("--config FILE is missing")
        try:
            self.configuration = load(path)
        except ConfigError as error:
            print(*error.faults, sep="\n", file=sys.stdout if self["check"] else sys.stderr)
            sys.exit(1)
        if self["check"]:
            print(f"{path}: ok")
            sys.exit(0)
        take_uvloop()
        self._choose_log()
        self._choose_pidfile()

    def _choose_pidfile(self) -> None:
        """Leave it as it is where it is right already: see program.become."""
        assert self.parent is not None
        self._pidfile = self.parent["pidfile"]
        if has_pidfile_already():
            self.parent["pidfile"] = ""

    def _choose_log(self) -> None:
        """Log as journald wants it, where twistd's log goes there."""
        twistd = self.parent
        assert twistd is not None
        said = any(twistd.get(key) for key in ("logger", "logfile", "syslog"))
        if twistd["nodaemon"] and not said and leads_to_journal(os.environ):
            twistd["logger"] = JOURNAL_OBSERVER
