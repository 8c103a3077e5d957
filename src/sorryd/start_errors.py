"""What keeps sorryd from starting and its operator can mend: one line in the log, no traceback."""

from __future__ import annotations

import sys
from typing import Any, Final

from sorryd.access_log import AccessLogFault
from sorryd.control.listening import ControlSocketError
from sorryd.edge.cookie_key import CookieKeyFault
from sorryd.edge.listener import ListenFault
from sorryd.edge.tls import TlsFault
from sorryd.journal import JournalError
from sorryd.privileges import PrivilegeFault

MENDABLE: Final = (
    *(ListenFault, TlsFault, AccessLogFault, CookieKeyFault, JournalError, ControlSocketError),
    PrivilegeFault,
)


class StartError(Exception):
    """sorryd can't start, for a reason that its operator can mend; its str is one line."""


def keep_out_of_terminal() -> None:
    """Let no StartError end this process with a traceback: what it says is in the log already."""
    sys.excepthook = _without_start_errors


def _without_start_errors(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if not issubclass(kind, StartError):
        sys.__excepthook__(kind, error, trace)
