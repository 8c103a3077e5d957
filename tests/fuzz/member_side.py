"""Members say anything: the visitor gets what they truly answered, an apology, or a cut answer.

Lines: ``site`` (see town.py), ``asks`` for each request (method, minor version, and ``upgrade``),
and what lies.py says.
"""

from __future__ import annotations

from random import Random
from typing import Final

from tests.fuzz import answers
from tests.fuzz.case import Case, FaultFound, Line, Tally, all_of, kind_of, one_of
from tests.fuzz.laxness import is_known, misleads_llhttp
from tests.fuzz.lies import Attempt, LyingMember, Scripts, scripts
from tests.fuzz.mutations import mutated, said
from tests.fuzz.readers import Answer, NoMessage, answer_by_h11, answer_by_llhttp
from tests.fuzz.town import Town, Towns

_ASKS: Final = (
    *(b"GET 1",) * 5, b"HEAD 1", b"POST 1", b"POST 1", b"PUT 1", b"GET 0", b"GET 1 upgrade",
    b"POST 0",
)  # fmt: skip
_OURS: Final = frozenset({502, 503, 504})


class MemberSide:
    """See the module."""

    name = "member"

    def __init__(self) -> None:
        self._towns = Towns()

    def make(self, random: Random) -> Case:
        """See case.Property."""
        lines: list[Line] = []
        for _ in range(random.randint(1, 3)):
            data = answers.answer(random, random.choice((0, 0, 1, 1, 2)))
            if random.random() < 0.4:
                data = mutated(random, data, answers.WORDS, 3)
            if random.random() < 0.1:
                data += answers.answer(random, 0)
            lines += _script(random, data)
        return _case(random, lines)

    def check(self, case: Case, tally: Tally) -> None:
        """See case.Property."""
        with self._towns.play(one_of(case, "site")) as town:
            play = Play(town, case)
            play.play()
            play.judge(tally)


def _script(random: Random, data: bytes) -> list[Line]:
    end = random.choice((b"FIN", b"FIN", b"reset", b"silence", b"silence"))
    return [Line("answer", end), *said(random, data)]


def _case(random: Random, lines: list[Line]) -> Case:
    asks = random.choices(_ASKS, k=random.randint(1, 3))
    site = Line("site", random.choice((b"plain", b"rich")))
    return (site, *(Line("asks", ask) for ask in asks), *lines)


def request(number: int, ask: bytes) -> bytes:
    """A request that is as it should be; its target has its `number`."""
    method, _, rest = ask.partition(b" ")
    minor, _, upgrade = rest.partition(b" ")
    lines = [b"%b /r%d HTTP/1.%b" % (method, number, minor), b"Host: shop.example"]
    if upgrade:
        lines += [b"Connection: upgrade", b"Upgrade: a"]
    body = b"body" if method in (b"POST", b"PUT") else b""
    if body:
        lines.append(b"Content-Length: 4")
    if minor == b"0":
        lines.append(b"Connection: keep-alive")
    return b"\r\n".join((*lines, b"", body))


class Play:
    """One visitor, with some requests, and the members that answer them."""

    def __init__(self, town: Town, case: Case) -> None:
        self._town = town
        self._asks = [ask for ask in all_of(case, "asks") if ask in _ASKS]
        self._scripts = Scripts(tuple(scripts(case)))
        self._members: list[LyingMember] = []
        self._visitor = town.visitor()

    def play(self) -> None:
        """All of it, until nothing is left."""
        for number, ask in enumerate(self._asks):
            self._visitor.says(request(number, ask))
            self._attend()
        self._town.rests(self._attend)

    def _attend(self) -> None:
        town, members = self._town, self._members
        while True:
            members += [LyingMember(w, self._scripts) for w in town.made[len(members) :]]
            heard = [member.attend() for member in members]
            if not any(heard):
                return

    # --- what the visitor got ---

    def judge(self, tally: Tally) -> None:
        """Raise FaultFound for whatever is wrong."""
        data = self._visitor.gets()
        for number, ask in enumerate(self._asks):
            method, upgrade = ask.split(b" ")[0], b"upgrade" in ask
            try:
                got = answer_by_h11(method, data, not self._visitor.is_aborted, upgrade)
            except NoMessage as why:
                raise FaultFound(f"to the visitor: what h11 refuses: {why}: {data!r}") from None
            if not self._judge_one(got, self._last_attempt(number), tally):
                return
            data = got.rest
        if data:
            raise FaultFound(f"to the visitor: more than was asked for: {data!r}")

    def _last_attempt(self, number: int) -> Attempt | None:
        attempts = (one for one in self._scripts.attempts if one.number == number)
        return next(reversed(tuple(attempts)), None)

    def _judge_one(self, got: Answer, attempt: Attempt | None, tally: Tally) -> bool:
        """Whether another answer may follow."""
        if got.field(b"sorry-cause"):
            if got.status not in _OURS or not got.whole:
                raise FaultFound(f"to the visitor: an odd apology: {got}")
            tally(f"apologies {got.status}")
        elif attempt is None:
            raise FaultFound(f"to the visitor: an answer of nobody: {got}")
        elif got.status == 101:
            tally("tunnels")
            return False
        elif got.status == 204 and (
            got.field(b"content-length") or got.field(b"transfer-encoding")
        ):
            raise FaultFound(f"to the visitor: a body where none is: {got}")
        elif not got.whole:
            tally("cut")
            self._judge_cut(got, attempt)
            return False
        else:
            tally("whole")
            judge_whole(got, attempt, tally)
        options = b",".join(value for name, value in got.fields if name == b"connection")
        return b"close" not in options

    def _judge_cut(self, got: Answer, attempt: Attempt) -> None:
        """A part of the truth, and nothing behind it."""
        if attempt.script.end == b"silence" and not got.status and not got.before:
            raise FaultFound(f"to the visitor: nothing at all: {attempt.script}")
        try:
            true = answer_by_h11(attempt.method, attempt.script.text, True, attempt.upgrade)
        except NoMessage:
            return
        if not true.body.startswith(got.body):
            raise FaultFound(f"to the visitor: another beginning: {got} of {true}")


def judge_whole(got: Answer, attempt: Attempt, tally: Tally) -> None:
    """Others who read the member's bytes hear the very same answer, and whole."""
    text, has_ended = attempt.script.text, attempt.script.end == b"FIN"
    try:
        true = answer_by_h11(attempt.method, text, has_ended, attempt.upgrade)
        _same(got, true, "h11", text)
        if attempt.method != b"HEAD" and not misleads_llhttp(text):
            true = answer_by_llhttp(text, has_ended)
            if true.whole:
                _same(got, true, "llhttp", text)
    except NoMessage as why:
        if not is_known(str(why), text):
            raise FaultFound(f"lax with members: {why}: {text!r}") from None
        tally(f"known: {kind_of(str(why))}")


def _same(got: Answer, true: Answer, reader: str, text: bytes) -> None:
    if not true.whole or (got.status, got.body) != (true.status, true.body):
        raise FaultFound(f"to the visitor: other than {reader} hears: {got} for {true} in {text!r}")
