"""The shipped pages on a shelf: a small server that plays sorryd, as a test needs it.

For what can't be had from a real daemon at will: all kinds of outages side by side, an end three
hours from now, answers that contradict each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from tests.end_to_end.members import Member, serving
from tests.end_to_end.wire import Message, answer
from tests.policy.outages import apologies

from sorryd.model import Cause, PageKind, PageSource, Phase
from sorryd.policy.facts import Facts
from sorryd.policy.menu import Variant
from sorryd.policy.pages import default_page_path

PAGES: Final = [
    PageSource(source=file.read_text(encoding="utf-8"), language=language)
    for language, file in (
        ("en", default_page_path()),
        ("ja", default_page_path().with_name("maintenance.ja.html")),
    )
]
LONG_WORD: Final = (
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
)


def outage(
    site: str = "shop.example",
    cause: Cause = Cause.WINDOW,
    timezone: str = "Asia/Tokyo",
    phase: Phase = Phase.DOWN,
    reason: str | None = None,
    since: float | None = None,
    until: float | None = None,
    until_text: str | None = None,
) -> Facts:
    """Facts of an outage; `since` and `until` are seconds from now."""
    now = time.time()
    return Facts(
        site=site, cause=cause, timezone=timezone, phase=phase, reason=reason, retry_after=30.0,
        since=None if since is None else now + since,
        until=None if until is None else now + until, until_text=until_text,
    )  # fmt: skip


def kinds() -> dict[str, Facts]:
    """One outage of each kind that a page tells apart, and one that is hard to set."""
    return {
        "planned": outage(reason="Database upgrade", since=-3600, until=6400),
        "days": outage(reason="We are moving", since=-3600, until=2 * 86400 + 600),
        "open": outage(cause=Cause.MANUAL, reason="New disks", since=-3600),
        "words": outage(cause=Cause.MANUAL, until_text="12pm Central Time", since=-3600),
        "verifying": outage(phase=Phase.VERIFYING, reason="Database upgrade", since=-3600),
        "unplanned": outage(cause=Cause.MEMBERS, since=-3600),
        "long": outage(
            site=f"{LONG_WORD.lower()}.example", since=-3600, until=6400,
            reason=f"{LONG_WORD}\nverlegt Netzwerkkabel, https://status.example/{'x' * 150}",
        ),
    }  # fmt: skip


class Shelf:
    """Answers ``/LANGUAGE/KIND`` with the apology, or what `answers` has for a path.

    `asked` are the methods and targets of all requests but the browser's own for an icon.
    """

    def __init__(self, facts: dict[str, Facts] | None = None) -> None:
        self.facts = facts or kinds()
        self.answers: dict[str, Callable[[str], bytes]] = {}
        self.asked: list[tuple[str, str]] = []
        self._member = Member(serving(self._reply))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._member.close()

    def url(self, language: str, kind: str) -> str:
        """Where a page is."""
        return f"{self._member.url}/{language}/{kind}"

    def apology(self, path: str, method: str) -> bytes:
        """What sorryd would answer at ``/LANGUAGE/KIND``."""
        _, language, kind = path.split("/")
        ready = apologies(self.facts[kind], *PAGES).apology(Variant(PageKind.HTML, language))
        return ready.response(time.time(), head_only=method == "HEAD")

    def _reply(self, request: Message) -> bytes:
        method, path = request.method.decode(), request.target.decode()
        if path == "/favicon.ico":
            return answer(b"", status=404)
        self.asked.append((method, path))
        if path in self.answers:
            return self.answers[path](method)
        return self.apology(path, method)
