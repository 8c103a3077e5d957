"""Members that say what a script says, and what they were asked before they did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.edge.wires import FakeWire
from tests.fuzz.case import Case, FaultFound
from tests.fuzz.laxness import is_known
from tests.fuzz.mutations import bursts
from tests.fuzz.readers import NoMessage, RequestEar, answer_by_h11

from sorryd.model import Value


class Script(Value, frozen=True):
    """What a member says to one request, in bursts of pieces, and how it ends then."""

    bursts: tuple[tuple[bytes, ...], ...] = (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue",),
    )
    end: bytes = b"silence"

    @property
    def text(self) -> bytes:
        """All of it."""
        return b"".join(piece for burst in self.bursts for piece in burst)


def scripts(case: Case) -> Iterator[Script]:
    """Those in a case: each begins with a line ``answer``, whose data is how it ends."""
    starts = [at for at, line in enumerate(case) if line.word == "answer"]
    for at, end in zip(starts, [*starts[1:], len(case)], strict=True):
        pieces = tuple(map(tuple, bursts(case[at + 1 : end])))
        yield Script(bursts=pieces, end=case[at].data)


class Attempt:
    """A request as it came to a member, and what was said to it."""

    def __init__(self, ear: RequestEar, script: Script) -> None:
        assert ear.head is not None
        self.number = int(ear.target.rpartition(b"r")[2])
        self.method = bytes(ear.head.method)
        self.upgrade = any(name == b"upgrade" for name, _ in ear.head.headers)
        self.script = script


class Scripts:
    """All scripts, one after the other whoever is asked; behind the last one, the truth."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._left = list(reversed(scripts))
        self.attempts: list[Attempt] = []

    def next_for(self, ear: RequestEar) -> Attempt:
        attempt = Attempt(ear, self._left.pop() if self._left else Script())
        self.attempts.append(attempt)
        return attempt


class LyingMember:
    """One connection to a member."""

    def __init__(self, wire: FakeWire, scripts: Scripts) -> None:
        self._wire = wire
        self._scripts = scripts
        self._ear: RequestEar | None = None
        self._said: list[Attempt] = []
        self._is_tunnel = False

    def attend(self) -> bool:
        """Hear what came, and say what is to be said; whether anything came."""
        data = self._wire.gets()
        if data and not self._is_tunnel:
            self._hears(data)
        return bool(data)

    def _hears(self, data: bytes) -> None:
        if self._ear is None:
            for attempt in self._said:
                _check_reused(attempt)
            self._ear = RequestEar()
        try:
            self._ear.hears(data)
        except NoMessage as why:
            raise FaultFound(f"to the member: what h11 refuses: {why}: {self._ear.raw!r}") from None
        if self._ear.whole:
            attempt = self._scripts.next_for(self._ear)
            self._ear = None
            self._said.append(attempt)
            self._is_tunnel = attempt.upgrade and b" 101 " in attempt.script.text
            self._says(attempt.script)

    def _says(self, script: Script) -> None:
        for burst in script.bursts:
            self._wire.says(*burst)
        if script.end == b"FIN":
            self._wire.ends()
        elif script.end == b"reset":
            self._wire.resets()


def _check_reused(attempt: Attempt) -> None:
    """A connection is asked again only where nothing about its last answer was in doubt."""
    text = attempt.script.text
    try:
        heard = answer_by_h11(attempt.method, text, False, attempt.upgrade)
    except NoMessage as why:
        if is_known(str(why), text):
            return
        raise FaultFound(f"reused: after what h11 refuses: {why}: {text!r}") from None
    options = b",".join(value for name, value in heard.fields if name == b"connection").lower()
    is_old = text[len(text) - len(text.lstrip(b"\r\n")) :].startswith(b"HTTP/1.0")
    if not heard.whole or heard.rest or b"close" in options.split(b","):
        raise FaultFound(f"reused: after an answer in doubt: {text!r}")
    if is_old and not heard.before and b"keep-alive" not in options:
        raise FaultFound(f"reused: after an answer of HTTP/1.0: {text!r}")
