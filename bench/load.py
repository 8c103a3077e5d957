"""The load: what is asked of a proxy, and the process that asks it on the load's cores.

wrk makes requests where it is installed; all other kinds, and requests where it is not, are made
by programs of bench.loads. Each says what it counted as one line of JSON.
"""

from __future__ import annotations

import enum
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.places import TEMPLATES
from bench.processes import BenchError, Set, pinned, prefer, program

PROGRAMS = Path(__file__).parent / "loads"
_PATIENCE = 30  # seconds that a load may take longer than it was told


class Kind(enum.StrEnum):
    """What a load consists of; each is the program of that name in bench.loads."""

    VISITORS = "visitors"  # requests, one after the other on each connection
    LONE = "lone"  # the same on one connection, each request timed by itself
    COMERS = "comers"  # connections over TLS that ask once and leave
    TRANSFERS = "transfers"  # one connection at a time, one long body on it
    TUNNELS = "tunnels"  # WebSocket messages that come back


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, by how many connections, and which answers are right.

    `statuses` None leaves the judging to wrk (400 and more is an error), which costs the load
    nothing; otherwise every answer's status, and its length if `length` > 0, is looked at.
    `hosts`, where there are some, are named in turn. `body` is a file that is sent with each
    request; of transfers, `size` bytes of it go up, or as many come down where there is none.
    """

    kind: Kind
    port: int
    path: str
    connections: int
    seconds: int
    secure: bool = False
    fields: tuple[tuple[str, str], ...] = ()
    hosts: tuple[str, ...] = ()
    statuses: tuple[int, ...] | None = None
    length: int = 0
    body: str = ""
    size: int = 0
    resumed: bool = False  # whether each comer has the ticket of one before

    @property
    def url(self) -> str:
        """What is asked for."""
        return f"http{'s' * self.secure}://127.0.0.1:{self.port}{self.path}"


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in `seconds` (requests, messages, or MiB of transfers), and what went wrong.

    `p50` and `p99` are microseconds from a request to the end of its answer; 0: not measured.
    """

    requests: int
    seconds: float
    connect: int = 0
    read: int = 0
    write: int = 0
    timeout: int = 0
    unexpected: int = 0  # answers with a status, a length or bytes that are not right
    p50: float = 0.0
    p99: float = 0.0

    @property
    def errors(self) -> int:
        """All that went wrong."""
        return self.connect + self.read + self.write + self.timeout + self.unexpected


def generator() -> str:
    """What makes the load here."""
    return "wrk" if program("wrk") else "Python (wrk is not installed)"


def start(load: Load, cores: Set) -> subprocess.Popen[bytes]:
    """Start the load; `finish` it. The caller kills it where it does not come to that."""
    with pinned(cores):
        process = subprocess.Popen(
            _command(load),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    prefer(process.pid)
    return process


def finish(process: subprocess.Popen[bytes], load: Load) -> Counted:
    """Wait for the load's end. Raises BenchError where it said nothing that can be read."""
    out = b""
    try:
        out, _ = process.communicate(timeout=load.seconds + _PATIENCE)
        return msgspec.json.decode(out.strip().splitlines()[-1], type=Counted)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"the load on {load.url} did not end") from error
    except (IndexError, msgspec.DecodeError) as error:
        raise BenchError(f"the load on {load.url} said: {out.decode(errors='replace')}") from error
    finally:
        process.kill()
        process.wait()


def run(load: Load, cores: Set) -> Counted:
    """Start the load on `cores`, and finish it."""
    return finish(start(load, cores), load)


def _command(load: Load) -> list[str]:
    if load.kind is Kind.VISITORS and (wrk := program("wrk")) is not None:
        return _wrk(wrk, load)
    told = msgspec.json.encode(load).decode()
    return [sys.executable, "-m", f"bench.loads.{load.kind}", told]


def _wrk(binary: str, load: Load) -> list[str]:
    script = str(TEMPLATES / "count.lua")
    shape = ["-t1", f"-c{load.connections}", f"-d{load.seconds}s", "--timeout", "5s"]
    fields = [word for name, value in load.fields for word in ("-H", f"{name}: {value}")]
    statuses = ",".join(str(status) for status in load.statuses or ())
    told = [statuses, str(load.length), load.body, ",".join(load.hosts)]
    return [binary, *shape, *fields, "-s", script, load.url, "--", *told]
