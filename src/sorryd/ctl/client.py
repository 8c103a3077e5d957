"""Questions to the daemon, and its answers, over the control socket.

Of the standard library only, and little of that: sorryctl has to start at once.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping

ANSWER_WITHIN = 30.0  # seconds for each wait: connection, each piece sent, each piece read
_RETRY = 0.01  # seconds between two attempts to connect
MAX_ANSWER = 64 * 1024 * 1024  # bytes; 10,000 windows are some 5 MiB

Param = str | float | bool | None | Mapping[str, list[str]] | Mapping[str, str]


class NoDaemonError(Exception):
    """No daemon answered; the text says what to do."""


class RefusedError(Exception):
    """The daemon refused; the text is its reason, `faults` are what is wrong with a file."""

    def __init__(self, text: str, faults: list[str]) -> None:
        super().__init__(text)
        self.faults = faults


class UnsayableError(Exception):
    """A parameter that is no text in UTF-8."""


class Daemon:
    """A connection to the daemon at `path`, for one question after another.

    It is made with the first one. All methods raise NoDaemonError, RefusedError, UnsayableError.
    """

    def __init__(self, path: str, within: float | None = None) -> None:
        self._path = path
        self._within = ANSWER_WITHIN if within is None else within
        self._connection: socket.socket | None = None
        self._rest = b""  # received behind an answer

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def ask(self, method: str, params: Mapping[str, Param]) -> object:
        """The result of `method` as parsed JSON. Parameters that are None are left out."""
        line = _request_line(method, params)
        try:
            answer, self._rest = _exchange(self._connected(), line)
        except TimeoutError:
            text = f"no answer within {self._within:.0f} s at {self._path}"
            raise NoDaemonError(f"{text}: is the daemon busy, or stopped?") from None
        except OSError as error:
            raise NoDaemonError(_why(self._path, error)) from None
        return _result(self._path, answer)

    def lines(self) -> Iterator[bytes]:
        """What the daemon says unasked, line by line, until it closes; waits for ever."""
        connection = self._connected()
        connection.settimeout(None)
        received = self._rest
        while True:
            *ended, received = received.split(b"\n")
            yield from ended
            try:
                piece = connection.recv(262144)
            except OSError:
                return
            if not piece:
                return
            received += piece

    def _connected(self) -> socket.socket:
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._connection.settimeout(self._within)
            _connect(self._connection, self._path, self._within)
        return self._connection


def _connect(connection: socket.socket, path: str, within: float) -> None:
    """Connect, and wait as well while others wait to be accepted (EAGAIN, connect(2))."""
    deadline = time.monotonic() + within
    while True:
        try:
            connection.connect(path)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError from None
            time.sleep(_RETRY)
        else:
            return


def _request_line(method: str, params: Mapping[str, Param]) -> bytes:
    given = {name: value for name, value in params.items() if value is not None}
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}
    try:
        return json.dumps(request, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        raise UnsayableError("an option or a name is not text in UTF-8") from None


def _exchange(connection: socket.socket, line: bytes) -> tuple[bytes, bytes]:
    """Send `line`; what came back up to the line's end, or until the daemon closed; and the rest.

    There is a rest only behind the answer to a subscription.
    """
    connection.sendall(line, socket.MSG_NOSIGNAL)
    received = bytearray()
    while (piece := connection.recv(262144)) and len(received) <= MAX_ANSWER:
        received += piece
        if b"\n" in piece:
            break
    answer, end, rest = bytes(received).partition(b"\n")
    return answer + end, rest


def _result(path: str, answer: bytes) -> object:
    if not answer.endswith(b"\n"):
        raise NoDaemonError(
            f"the daemon at {path} closed the connection before it had answered: "
            "whether the command was done, sorryctl status tells"
        )
    try:
        message = json.loads(answer)
    except (ValueError, RecursionError):
        message = None
    match message:
        case {"error": {"message": str(text), "data": {"faults": [*faults]}}}:
            raise RefusedError(text, [str(fault) for fault in faults])
        case {"error": {"message": str(text)}}:
            raise RefusedError(text, [])
        case {"jsonrpc": "2.0", "result": result}:
            return result
        case _:
            raise NoDaemonError(f"what answers at {path} is not sorryd")


def _why(path: str, error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return f"no daemon at {path}: start it (twistd sorryd --config FILE), or give --socket"
        case ConnectionRefusedError():
            return f"no daemon listens at {path}: start it (twistd sorryd --config FILE)"
        case PermissionError():
            return f"may not connect to {path}: that is for root and {_group_of(path)}"
        case ConnectionResetError() | BrokenPipeError():
            return (
                f"the daemon at {path} closed the connection before it had answered: "
                "whether the command was done, sorryctl status tells"
            )
        case _:
            return f"can't ask {path}: {error.strerror or error}"


def _group_of(path: str) -> str:
    """The group of the socket, by name where that can be told."""
    import grp
    import os

    try:
        return f"the group {grp.getgrgid(os.stat(path).st_gid).gr_name}"
    except (OSError, KeyError):
        return "the socket's group"
