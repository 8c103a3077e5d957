"""The programs of the load, against members alone: what they count is what there was."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from bench.awake import awake
from bench.backend import start
from bench.load import Counted, Kind, Load
from bench.loads.lone import percentile
from bench.places import Members, Place, prepare
from bench.processes import Cores, Fleet, free_port
from bench.processor import family

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n" + bytes(1024)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Members that run. Not in pytest's folder, which nginx's user may not enter."""
    with tempfile.TemporaryDirectory(prefix="sorryd-bench-", dir="/tmp") as folder:
        place = prepare(Path(folder), Members())
        with Fleet(place.folder) as fleet:
            start(fleet, place, Cores.of_this_machine())
            yield place


@contextlib.contextmanager
def serving(context: ssl.SSLContext) -> Iterator[int]:
    """A port at which each connection over TLS is answered once."""

    def answer(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the listener is closed when it is over
            while True:
                tcp, _ = listener.accept()
                with contextlib.suppress(OSError), context.wrap_socket(tcp, server_side=True) as it:
                    it.recv(4096)
                    it.sendall(ANSWER)
                    it.unwrap()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def run(load: Load) -> Counted:
    """What the program of the load counts."""
    told = msgspec.json.encode(load).decode()
    command = [sys.executable, "-m", f"bench.loads.{load.kind}", told]
    said = subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True).stdout
    return msgspec.json.decode(said, type=Counted)


def test_visitors_ask_again_and_again(place: Place) -> None:
    """On connections that are kept, and on new ones; what takes long is seen."""
    load = Load(
        kind=Kind.VISITORS, port=place.members.member_a, path="/small", connections=4, seconds=1
    )
    for asked in (load, msgspec.structs.replace(load, fields=(("Connection", "close"),))):
        counted = run(asked)
        assert counted.requests > 10
        assert counted.errors == 0
        assert 0 < counted.p50 <= counted.p99


def test_visitors_tell_wrong_answers(place: Place) -> None:
    """By status, and by length."""
    load = Load(
        kind=Kind.VISITORS, port=place.members.member_a, path="/small", connections=1, seconds=1
    )
    for asked in (
        msgspec.structs.replace(load, statuses=(503,)),
        msgspec.structs.replace(load, statuses=(200,), length=1023),
        msgspec.structs.replace(load, path="/none"),
    ):
        counted = run(asked)
        assert counted.unexpected == counted.requests > 0


def test_a_lone_visitor_times_each_request(place: Place) -> None:
    """And stops at the first answer that is wrong, or where nobody listens."""
    load = Load(
        kind=Kind.LONE, port=place.members.member_a, path="/small", connections=1, seconds=1
    )
    counted = run(load)
    assert counted.requests > 10
    assert counted.errors == 0
    assert 0 < counted.p50 <= counted.p99
    assert counted.p50 * counted.requests / 2 < counted.seconds * 1e6
    for wrong in (
        msgspec.structs.replace(load, path="/none"),
        msgspec.structs.replace(load, port=free_port()),
    ):
        counted = run(wrong)
        assert (counted.requests, counted.errors) == (0, 1)


@pytest.mark.parametrize(
    ("ordered", "percent", "wanted"),
    [
        ([], 99, 0),
        ([7], 50, 7),
        ([1, 2, 3], 50, 2),
        ([1, 2, 3, 4], 50, 2),
        (range(1, 101), 99, 99),
        (range(1, 102), 99, 100),
    ],
)
def test_percentiles(ordered: Sequence[int], percent: int, wanted: int) -> None:
    """By nearest rank: a value that there was."""
    assert percentile(ordered, percent) == wanted


def test_cores_are_awake_until_the_end() -> None:
    """By processes that take what nobody else wants."""
    before = family(os.getpid())
    with awake(Cores.of_this_machine().proxy):
        (pid,) = family(os.getpid()) - before
        while os.sched_getscheduler(pid) != os.SCHED_IDLE:
            time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_nobody_is_kept_awake_by_an_orphan() -> None:
    """Nor where the bench was killed."""
    others = os.getpid()  # the parent of the one that starts it, as if that had been killed
    code = f"from bench.awake import keep; keep({others})"
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    subprocess.run([sys.executable, "-c", start], timeout=30, check=True)


def test_transfers_go_both_ways(place: Place) -> None:
    """Whole ones are counted, in MiB; one that is not there is an error."""
    size = 8 * 1024 * 1024
    down = Load(
        kind=Kind.TRANSFERS,
        port=place.members.bulk_member,
        path=f"/bytes/{size}",
        connections=1,
        seconds=1,
        size=size,
    )
    up = msgspec.structs.replace(down, path="/upload", body=str(place.given("bulk")))
    for load in (down, up):
        counted = run(load)
        assert counted.requests >= 8
        assert counted.requests % 8 == 0
        assert counted.errors == 0
    wrong = msgspec.structs.replace(down, path="/bytes/7", seconds=0)
    assert (run(wrong).requests, run(wrong).errors) == (0, 1)


def test_messages_come_back_through_many_tunnels(place: Place) -> None:
    """Each of them."""
    load = Load(
        kind=Kind.TUNNELS,
        port=place.members.bulk_member,
        path="/echo",
        connections=10,
        seconds=1,
    )
    counted = run(load)
    assert counted.requests > 10
    assert counted.errors == 0


@pytest.mark.parametrize(("tickets", "resumed"), [(2, False), (2, True), (0, True)])
def test_comers_know_whether_they_were_resumed(place: Place, tickets: int, resumed: bool) -> None:
    """Where no ticket is given nobody can be; that is no error, but nobody is resumed either."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place.folder / "chain.pem", place.folder / "key.pem")
    context.num_tickets = tickets
    with serving(context) as port:
        load = Load(
            kind=Kind.COMERS,
            port=port,
            path="/small",
            connections=4,
            seconds=1,
            secure=True,
            resumed=resumed,
        )
        counted = run(load)
    assert counted.requests > 10
    assert bool(counted.errors) is (resumed and not tickets)
