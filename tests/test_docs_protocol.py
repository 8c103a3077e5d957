"""What docs/control-protocol.md shows is what a daemon answers."""

from __future__ import annotations

import grp
import pwd
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest
from msgspec.structs import replace
from tests.at_once import AtOnce
from tests.control.world import World
from tests.documents import ROOT, blocks, loaded
from twisted.internet.defer import succeed
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from sorryd.admin.port import AdminPort
from sorryd.control.lines import Call, Refusal, decode, encode_error, encode_event, encode_result
from sorryd.control.permission import Permission
from sorryd.control.telling import deed
from sorryd.errors import ControlError, ErrorCode
from sorryd.journal import HistoryEntry
from sorryd.messages import Request, WindowSchedule
from sorryd.model import Config, Phase
from sorryd.numbers import Answered, EdgeNumbers, MemberNumbers, SiteNumbers, place
from sorryd.preparing import Preparing
from sorryd.recording import Recording
from sorryd.replies import StatusResult
from sorryd.sockets import Sockets

PROTOCOL: Final = (ROOT / "docs" / "control-protocol.md").read_text()
PAIRS: Final = re.findall(r"^--> (.*)\n<-- (.*)$", PROTOCOL, re.MULTILINE)
NIGHT: Final = datetime.fromisoformat("2026-11-22T06:24:04+09:00").timestamp()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The daemon that the protocol was shown with: the site ballad, and one window to come."""
    (text,) = (block.text for block in blocks("ini") if "[site ballad]" in block.text)
    text = text.replace("[site ballad]", "timezone = Asia/Tokyo\n[site ballad]")
    (tmp_path / "current" / "public").mkdir(parents=True)
    world = World(str(tmp_path / "sorryd.db"), loaded(tmp_path, text))
    world.wall = NIGHT
    world.truth.look()
    world.ask(WindowSchedule(id="upgrade", site="ballad", from_="tomorrow 02:00", until="05:00"))
    world.numbers = counted()
    yield world
    world.journal.close()


def counted() -> EdgeNumbers:
    """A few requests, as `numbers.get` is shown with them."""
    answers = list(Answered().answers)
    answers[place(Phase.LIVE, "2xx")], answers[place(Phase.LIVE, "5xx")] = 40, 2
    durations = (12, 20, 8, 0, 1, 1, *Answered().durations[6:])
    answered = Answered(answers=tuple(answers), durations=durations, seconds=0.068, sent=52500)
    member = MemberNumbers(
        url="http://127.0.0.1:3000", answered=answered, connects=3, in_flight=1, idle=2
    )
    ballad = SiteNumbers(site="ballad", members=(member,), received=4620, accepted=7, open=2)
    return EdgeNumbers(sites=(ballad,))


REFUSED: Final = """[sorryd]
control = control.sock
state = sorryd.db
colour = blue
[site ballad]
listen = localhost:8080
members = http://127.0.0.1:3000
"""


def refused(config: Config, folder: Path) -> ControlError:
    """How a reload to `REFUSED` is refused, where that is /etc/sorryd/sorryd.ini."""
    file = folder / "sorryd.ini"
    file.write_text(REFUSED)
    recording = Recording(AtOnce(), False, lambda access: None)
    admin = AdminPort(AtOnce(), Factory)
    preparing = Preparing(
        AtOnce(), Sockets(), recording, admin, dict, lambda fittings: succeed(()), lambda: NIGHT
    )
    failures: list[Failure] = []
    preparing.load(replace(config, file=str(file))).addErrback(failures.append)
    error = failures[0].value
    assert isinstance(error, ControlError)
    there = str(file), "/etc/sorryd/sorryd.ini"
    faults = tuple(fault.replace(*there) for fault in error.faults)
    return ControlError(error.code, error.message.replace(*there), faults=faults)


def prepare_reload(asked: str, world: World, folder: Path) -> None:
    """Put before a reload what it shall find; the second one that is shown is refused."""
    config = world.truth.config
    (ballad,) = config.sites
    sites = replace(ballad, drain=1.0), replace(ballad, name="wiki")
    world.preparation.next = replace(config, sites=sites, access_log="-")
    if '"id": 12' in asked:
        world.preparation.refusal = "load", refused(config, folder)


def answer_to(asked: str, world: World) -> bytes:
    """What the daemon answers to a line."""
    match decode(asked.encode()):
        case Refusal(id=call_id, error=error):
            return encode_error(call_id or b"", error)
        case Call(id=call_id, request=request):
            try:
                return encode_result(call_id or b"", world.ask(request))
            except ControlError as error:
                return encode_error(call_id or b"", error)


@pytest.mark.parametrize(
    ("asked", "told"),
    # What a stranger is told is not the commands' business: see the next test.
    [pytest.param(*pair, id=pair[0]) for pair in PAIRS if "-32002" not in pair[1]],
)
def test_answer_is_told_right(asked: str, told: str, world: World, tmp_path: Path) -> None:
    """An answer shown is the one that is given."""
    if "daemon.reload" in asked:
        prepare_reload(asked, world, tmp_path)
    answer = answer_to(asked, world).decode()
    if re.search(r"daemon\.(version|upgrade)", asked):  # the versions are those of another machine
        answer, told = (re.sub(r':"[^"]*"(?=[,}])', ':""', line) for line in (answer, told))
    assert answer == f"{told}\n"


def test_event_is_told_right(world: World) -> None:
    """The event shown is the one that follows the answer before it."""
    (told,) = re.findall(r'^<-- (.*"method":"event".*)$', PROTOCOL, re.MULTILINE)
    entries: list[HistoryEntry] = []
    world.stream.following(1, None, 1).addCallback(entries.extend)
    assert encode_event(deed(entries[0], world.truth.config)).decode() == f"{told}\n"


def test_stranger_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of a refusal for lack of permission are those that are said."""
    (told,) = (told for _, told in PAIRS if "-32002" in told)
    user = pwd.struct_passwd(("sorryd", "x", 500, 77, "", "/", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda uid: user)
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("sorryd", "x", 77, [])))
    assert told.endswith(f"""that is for {Permission(uid=500, gid=77).allowed}"}}}}""")


def test_examples_are_found() -> None:
    """The examples of the protocol are found, with answers and refusals among them."""
    assert {type(decode(asked.encode())) for asked, _ in PAIRS} == {Call, Refusal}
    assert len(PAIRS) > 10


def test_status_is_told_right() -> None:
    """The status shown has the fields that a status has, all of them."""
    (block,) = blocks("json")
    told = msgspec.json.decode(block.text)
    again = msgspec.json.encode(msgspec.convert(told, StatusResult))
    assert msgspec.json.decode(again) == told


def test_every_method_is_told() -> None:
    """Every method is in the table with its parameters."""
    table = dict(re.findall(r"^\| `([a-z.]+)`(?: \*)? \| (.*?) ?\| ", PROTOCOL, re.MULTILINE))
    for kind in get_args(Request):
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        told = set(re.findall(r"`([a-z_]+)`", table[kind.method]))
        assert names <= told, kind.method


def test_every_error_code_is_told() -> None:
    """The table of errors has every code."""
    assert {int(code) for code in re.findall(r"^\| (-32\d+) \|", PROTOCOL, re.M)} == set(ErrorCode)
