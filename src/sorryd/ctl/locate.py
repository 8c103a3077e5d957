"""Where the control socket is."""

from __future__ import annotations

import os

DEFAULT_SOCKET = "/run/sorryd/control.sock"
CONFIGS = ("etc/sorryd.ini", "/etc/sorryd/sorryd.ini")  # looked into in this order


class UnreadableError(Exception):
    """The configuration that was asked for can't be read."""


def find_socket(given: str | None, config: str | None) -> str:
    """`given`, else $SORRYD_SOCKET, else what `config` says, else what the usual files say.

    Raises UnreadableError where `config` is given, needed, and can't be read.
    """
    found = given or os.environ.get("SORRYD_SOCKET")
    if found:
        return found
    from sorryd.ini import control_path

    if config is not None:
        _check_readable(config)
        return control_path(config) or DEFAULT_SOCKET
    for usual in CONFIGS:
        if os.path.exists(usual) and (path := control_path(usual)):
            return path
    return DEFAULT_SOCKET


def _check_readable(config: str) -> None:
    from sorryd.ini import opened

    try:
        opened(config).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableError(f"{config}: {reason}") from None
