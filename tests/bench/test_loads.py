"""The bench's own ends of connections, and what is told to the programs of the load."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest
from bench.bulk import Member
from bench.load import Kind, Load
from bench.loads.transfers import pieces
from bench.loads.tunnels import opening
from bench.loads.visitors import requests
from bench.places import Ports
from bench.proxies import Name, Proxy
from bench.scenarios import PLANS, Scenario

from bench import frames, load, options, rounds

CONTENT = memoryview(bytes(range(256)) * 4)


class Wire(asyncio.Transport):
    """What a member has written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It never pauses."""


def answers(*received: bytes) -> bytes:
    """What the bulk member answers to these pieces."""
    member, wire = Member(CONTENT), Wire()
    member.connection_made(wire)
    for piece in received:
        member.data_received(piece)
    return wire.written


def one_by_one(data: bytes) -> Iterable[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


def test_so_many_bytes_come_down_as_were_asked_for() -> None:
    """The content begins anew when it is at its end."""
    head, _, body = answers(b"GET /bytes/2500 HTTP/1.1\r\nHost: a\r\n\r\n").partition(b"\r\n\r\n")
    assert b"Content-Length: 2500" in head
    assert body == bytes(CONTENT) * 2 + bytes(CONTENT)[:452]


def test_an_upload_is_answered_when_it_has_been_read() -> None:
    """Not before its last byte, and then with its hash; the connection goes on."""
    body = b"x" * 1000
    asked = b"POST /hashed HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"
    assert answers(asked + body[:10], body[10:-1]) == b""
    wanted = hashlib.sha256(body).hexdigest().encode()
    assert answers(asked + body[:10], body[10:]).endswith(wanted)
    assert answers(asked + body, asked, body).count(wanted) == 2


@pytest.mark.parametrize("whole", [True, False])
def test_messages_come_back(whole: bool) -> None:
    """Whole ones, however they were cut on their way."""
    payloads = [bytes([at]) * frames.SIZE for at in range(3)]
    sent = b"".join(frames.asked(each) for each in payloads)
    got = answers(opening("/echo"), *([sent] if whole else one_by_one(sent)))
    head, _, echoed = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert frames.ACCEPTED in head
    assert echoed == b"".join(frames.answered(each) for each in payloads)


def test_pieces_are_as_long_as_they_must_be() -> None:
    """In all, not each."""
    assert b"".join(pieces(CONTENT, 2049)) == bytes(CONTENT) * 2 + bytes(CONTENT)[:1]


def test_hosts_are_named_in_turn() -> None:
    """One request each; without any, the address is the host."""
    asked = Load(kind=Kind.VISITORS, port=80, path="/x", connections=1, seconds=1)
    assert requests(asked) == [b"GET /x HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n"]


def test_a_prefix_names_scenarios_that_begin_so() -> None:
    """A scenario's own name names it alone."""
    assert options.parse(["--only", "tls,tcp"], None).scenarios == (
        Scenario.TLS,
        Scenario.TCP_NEW,
    )


def test_unknown_scenarios_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        options.parse(["--only", "fast"], None)
    assert "'fast': the scenarios are plain, tls" in capsys.readouterr().err


def test_who_is_judged_is_measured_in_every_round() -> None:
    """The others in every third one, to be seen beside."""
    assert rounds.is_due(2, Scenario.PLAIN, Name.HAPROXY)
    assert rounds.is_due(2, Scenario.PLAIN, Name.SORRYD)
    assert not rounds.is_due(2, Scenario.PLAIN, Name.NGINX)
    assert rounds.is_due(4, Scenario.PLAIN, Name.NGINX)


def test_nobody_is_always_the_first_of_a_round() -> None:
    """What a processor still has of the one before would be for or against the same one."""
    running = [
        Proxy(name=name, label=name, pid=0, version="", ports=Ports(), log=Path(name))
        for name in Name
    ]
    assert rounds.in_turn(1, running) == running
    assert rounds.in_turn(2, running) == running[::-1]


def test_every_scenario_has_its_plan() -> None:
    """And each kind of load its program."""
    assert set(PLANS) == set(Scenario)
    for kind in Kind:
        assert load.PROGRAMS.joinpath(f"{kind}.py").exists()
