"""The load: wrk where it is installed, else the visitors of bench.visitors.

Either runs as a process of its own on the load's cores, and says what it counted as one line
of JSON.
"""

from __future__ import annotations

import subprocess
import sys

import msgspec

from bench.places import TEMPLATES
from bench.processes import BenchError, Set, pinned, program


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, by how many connections, and which answers are right.

    `statuses` None leaves the judging to wrk (400 and more is an error), which costs the load
    nothing; otherwise every answer's status, and its length if `length` > 0, is looked at.
    """

    url: str
    connections: int
    seconds: int
    statuses: tuple[int, ...] | None = None
    length: int = 0


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Whole answers in `seconds`, and what went wrong."""

    requests: int
    seconds: float
    connect: int
    read: int
    write: int
    timeout: int
    unexpected: int  # answers with a status or a length that is not right

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
        return subprocess.Popen(
            _command(load),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )


def finish(process: subprocess.Popen[bytes], load: Load) -> Counted:
    """Wait for the load's end. Raises BenchError where it said nothing that can be read."""
    out = b""
    try:
        out, _ = process.communicate(timeout=load.seconds + 15)
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
    judged = (load.statuses is not None) * [
        ",".join(str(status) for status in load.statuses or ()),
        str(load.length),
    ]
    if (wrk := program("wrk")) is None:
        numbers = [str(load.connections), str(load.seconds)]
        return [sys.executable, "-m", "bench.visitors", load.url, *numbers, *judged]
    script = str(TEMPLATES / "count.lua")
    shape = ["-t1", f"-c{load.connections}", f"-d{load.seconds}s", "--timeout", "5s"]
    return [wrk, *shape, "-s", script, load.url, "--", *judged]
