"""The few things that the bench asks of sorryd's control socket (JSON-RPC 2.0, one a line)."""

from __future__ import annotations

import contextlib
import datetime
import socket
from pathlib import Path

import msgspec

from bench.processes import BenchError


class _Fault(msgspec.Struct, frozen=True):
    code: int
    message: str


class _Reply(msgspec.Struct, frozen=True):
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Fault | None = None


class _Window(msgspec.Struct, frozen=True):
    id: str


class _Down(msgspec.Struct, frozen=True):
    site: str
    reason: str


class _Schedule(msgspec.Struct, frozen=True, rename={"start": "from"}):
    site: str
    start: str
    until: str
    reason: str


class _Request(msgspec.Struct, frozen=True):
    method: str
    params: _Down | _Schedule
    jsonrpc: str = "2.0"
    id: int = 1


def down(control: Path, site: str) -> None:
    """Put `site` into maintenance, open-ended. Raises BenchError where that is refused."""
    _call(control, _Request("site.down", _Down(site, "bench")))


def schedule(control: Path, site: str, start: float, end: float) -> str:
    """Plan a window of `site` between two instants; returns its id. Raises BenchError."""
    params = _Schedule(site, _rfc3339(start), _rfc3339(end), "bench")
    return msgspec.json.decode(_call(control, _Request("window.schedule", params)), type=_Window).id


def _rfc3339(instant: float) -> str:
    return datetime.datetime.fromtimestamp(instant, datetime.UTC).isoformat()


def _call(control: Path, request: _Request) -> msgspec.Raw:
    try:
        with socket.socket(socket.AF_UNIX) as connection, contextlib.ExitStack() as opened:
            connection.settimeout(5.0)
            connection.connect(str(control))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            line = opened.enter_context(connection.makefile("rb")).readline()
        reply = msgspec.json.decode(line, type=_Reply)
    except (OSError, msgspec.DecodeError) as error:
        raise BenchError(f"{request.method}: {error}") from error
    if reply.error is not None:
        raise BenchError(f"{request.method}: {reply.error.message}")
    return reply.result
