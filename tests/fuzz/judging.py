"""What must be true of a visitor's stream when all is over."""

from __future__ import annotations

import json
import re
from typing import Final

from tests.fuzz.case import FaultFound, Tally, kind_of
from tests.fuzz.laxness import is_known
from tests.fuzz.members import LARGE, PART, Log, Manner
from tests.fuzz.readers import (
    Answer,
    NoMessage,
    Request,
    RequestEar,
    answer_by_h11,
    heard_by_h11,
    heard_by_llhttp,
    visible,
    without_upgrade,
)
from tests.fuzz.town import Town
from tests.fuzz.watched import Believed

_TEXT: Final = rb"(?:[ !#-\[\]-~]|\\.)+"  # with every quote and backslash escaped
is_combined: Final = re.compile(
    rb'[!-~]+ - - \[[^\]\n]+\] "' + _TEXT + rb'" \d{3} (?:\d+|-)(?: "' + _TEXT + rb'"){2}\n'
).fullmatch


class Judge:
    """`sent` is what the visitor said, `got` what it got, `end` how it ended; `was_cut`: by us."""

    def __init__(
        self, log: Log, town: Town, sent: bytes, got: bytes, end: bytes, was_cut: bool
    ) -> None:
        self._log = log
        self._town = town
        self._believed = town.notes.requests
        self._sent = sent
        self._got = got
        self._end = end
        self._was_cut = was_cut

    def judge(self, tally: Tally) -> None:
        """Raise FaultFound for whatever is wrong."""
        self._judge_members()
        self._judge_readings(tally)
        answered = self._judge_answers(tally)
        self._judge_tunnel(tally)
        self._judge_log()
        if self._town.failures:
            raise FaultFound(f"blamed: a member that did nothing wrong: {self._town.failures}")
        tally("requests believed", len(self._believed))
        tally("requests passed on whole", sum(ear.whole for ear in self._log.heard))
        tally("answers", answered)

    # --- sorryd and the members ---

    def _judge_members(self) -> None:
        """What came to members is what sorryd believes, request by request."""
        believed, heard = self._believed, self._log.heard
        if len(heard) > len(believed):
            raise FaultFound(f"members: {len(heard)} requests heard, {len(believed)} believed")
        for at, (one, ear) in enumerate(zip(believed, heard, strict=False)):
            is_last = at == len(believed) - 1
            self._judge_one(one, ear, is_last)
        for one in believed[len(heard) :]:
            was_stopped = self._is_gone or self._town.notes.refused is not None or not one.whole
            if one is not believed[-1] or not was_stopped:
                raise FaultFound(f"members: a request that was not passed on: {one.raw!r}")

    @property
    def _is_gone(self) -> bool:
        return self._end == b"reset"

    def _judge_one(self, one: Believed, ear: RequestEar, is_last: bool) -> None:
        if ear.head is None:
            raise FaultFound(f"members: half a head: {ear.raw!r}")
        target = one.target if one.target == b"*" else self._town.prefix + one.target
        if (ear.head.method, ear.target) != (one.method, target):
            raise FaultFound(f"members: another request line: {ear.raw!r} for {one.raw!r}")
        is_early = self._log.manner is Manner.EARLY
        if ear.whole and not one.whole:
            raise FaultFound(f"members: a request that was not whole: {ear.raw!r} for {one.raw!r}")
        if one.whole and not (ear.whole or is_early):
            raise FaultFound(f"members: not all of a request: {ear.raw!r} for {one.raw!r}")
        if ear.body != one.body if ear.whole else not one.body.startswith(ear.body):
            raise FaultFound(f"members: another body: {ear.body!r} for {one.body!r}")
        trailers = b"".join(b"%b:%b" % field for field in ear.trailers)
        if ear.whole and trailers != _squeezed(one.trailers):
            raise FaultFound(f"members: other trailers: {trailers!r} for {one.trailers!r}")

    # --- sorryd and other readers ---

    def _judge_readings(self, tally: Tally) -> None:
        """Who reads as strictly hears the same, from the visitor and as the member."""
        for ear in self._log.heard:
            if ear.whole:
                try:
                    _same(heard_by_llhttp(ear.raw), ear.request, "to the member")
                except NoMessage as why:
                    raise FaultFound(
                        f"to the member: what is refused: {why}: {ear.raw!r}"
                    ) from None
        for one in self._believed:
            if one.whole:
                _compare(one, tally)

    # --- sorryd and the visitor ---

    def _judge_answers(self, tally: Tally) -> int:
        """Each whole request has its answer, in order, and a refusal is the last of all."""
        data, count, is_refused = self._got, 0, False
        while data:
            if is_refused:
                raise FaultFound(f"answers: behind a refusal: {data!r}")
            one = self._believed[count] if count < len(self._believed) else None
            answer = self._read(data, one)
            if answer.status == 101:
                return count + 1
            if not answer.status:
                break  # no more than 1xx, or a part of a head
            is_refused = self._is_own(answer)
            if is_refused:
                tally(f"refused {answer.status}")
            else:
                self._judge_answer(answer, one, count)
            data = answer.rest if answer.whole else b""
            count += 1
        self._judge_count(count - is_refused)
        return count

    def _judge_answer(self, answer: Answer, one: Believed | None, count: int) -> None:
        if one is None or not self._is_right(answer, one, count):
            raise FaultFound(f"answers: not that of request {count}: {answer}")
        if one.whole and not (answer.whole or self._is_gone):
            raise FaultFound(f"answers: not all of that of request {count}: {answer}")

    def _read(self, data: bytes, one: Believed | None) -> Answer:
        method = b"GET" if one is None else one.method
        try:
            return answer_by_h11(
                method, data, not self._was_cut, one is not None and one.upgrade is not None
            )
        except NoMessage as why:
            raise FaultFound(f"answers: malformed: {why}: {data!r}") from None

    def _is_own(self, answer: Answer) -> bool:
        """Whether it is a refusal: one of ours, whole, and the last of the connection."""
        if answer.field(b"x-answer"):
            return False
        if not (answer.whole and 400 <= answer.status < 506):
            raise FaultFound(f"answers: neither a member's nor a refusal: {answer}")
        if answer.field(b"connection") != b"close":
            raise FaultFound(f"answers: a refusal that leaves the connection open: {answer}")
        return True

    def _is_right(self, answer: Answer, one: Believed, count: int) -> bool:
        """Whether it is what the member said to this very request."""
        heard = self._log.heard
        if count >= len(heard) or answer.status != 200:
            return False
        said = self._log.of(heard[count])
        if self._log.manner is Manner.EARLY and not heard[count].whole:
            said = answer.field(b"x-answer")  # said of as much of the body as it had then
        whole = said + LARGE if self._log.manner is Manner.LARGE else said
        body = b"" if one.method == b"HEAD" else whole
        if answer.field(b"x-answer") == b"yes":
            body = PART + said
        elif answer.field(b"x-answer") != said:
            return False
        return answer.body == body if answer.whole else body.startswith(answer.body)

    def _judge_count(self, answered: int) -> None:
        """None is missing, but of what the visitor did not send or wait for."""
        owed = sum(one.whole for one in self._believed)
        if self._is_gone or answered >= owed:
            return
        if self._town.notes.refused is None or answered < owed - 1:
            raise FaultFound(f"answers: {answered} of {owed}: {self._got!r}")

    # --- the rest ---

    def _judge_tunnel(self, tally: Tally) -> None:
        if not self._log.has_switched:
            return
        tally("tunnels")
        behind = self._sent.partition(self._believed[-1].raw)[2]
        if not self._is_gone and behind != self._log.tunnelled:
            raise FaultFound(f"tunnel: {self._log.tunnelled!r} for {behind!r}")

    def _judge_log(self) -> None:
        """Each request is written down once, as one line that can be read."""
        lines = self._town.logged
        for line in lines:
            if self._town.kind == b"rich":
                json.loads(line)
            elif is_combined(line) is None:
                raise FaultFound(f"log: a malformed line: {line!r}")
            if line.count(b"\n") != 1 or not line.endswith(b"\n"):
                raise FaultFound(f"log: not one line: {line!r}")
        refused = self._town.notes.refused is not None
        if not len(self._believed) <= len(lines) <= len(self._believed) + 1 + refused:
            raise FaultFound(f"log: {len(lines)} lines for {len(self._believed)} requests")


def _squeezed(lines: bytes) -> bytes:
    """Trailer lines as h11 tells them."""
    pairs = (line.partition(b":") for line in lines.split(b"\r\n") if line)
    return b"".join(b"%b:%b" % (name.lower(), value.strip(b" \t")) for name, _, value in pairs)


def _compare(one: Believed, tally: Tally) -> None:
    """What was taken from the visitor, others take, and for the same."""
    ours = Request(one.method, one.raw.split(b" ", 2)[1], one.body)
    for reader, raw in ((heard_by_h11, one.raw), (heard_by_llhttp, without_upgrade(one.raw))):
        try:
            theirs = reader(raw)
        except NoMessage as why:
            if not is_known(str(why), one.raw):
                raise FaultFound(f"lax: {why}: {one.raw!r}") from None
            tally(f"known: {kind_of(str(why))}")
        else:
            _same(theirs, ours, "from the visitor")


def _same(theirs: Request, ours: Request, where: str) -> None:
    if (theirs.method, theirs.body) != (ours.method, ours.body) or theirs.target not in (
        ours.target,
        visible(ours.target),
    ):
        raise FaultFound(f"read otherwise {where}: {theirs} for {ours}")
