"""Forms of the apology that need no page: JSON, text, and what stands in where a page fails.

The JSON is a problem (RFC 9457) of the type ``about:blank``, whose title is that of the status.
All its members are always there; what is unknown is null. `until` is there where an end is
known; where none is, `retry_after` says in seconds when to ask again.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import msgspec

from sorryd.model import Phase, Value
from sorryd.policy.dates import rfc3339, spoken
from sorryd.policy.facts import Facts
from sorryd.policy.languages import lookup


class _Words(Value, frozen=True):
    planned: str
    verifying: str
    trouble: str
    reason: str
    since: str
    until: str
    later: str
    elsewhere: str


_WORDS: Final = {
    "en": _Words(
        planned="{} is down for maintenance.",
        verifying="{} is down for maintenance. The work is done and is being checked.",
        trouble="{} can't answer at the moment. This was not planned.",
        reason="Reason: {}",
        since="Since: {}",
        until="Back by: {}",
        later="Please try again later.",
        elsewhere="More about it",
    ),
    "ja": _Words(
        planned="{} は現在メンテナンス中です。",
        verifying="{} は現在メンテナンス中です。作業は終わり、動作を確認しています。",
        trouble="{} は現在応答できません。予定された停止ではありません。",
        reason="理由: {}",
        since="開始: {}",
        until="再開予定: {}",
        later="しばらくしてからもう一度お試しください。",
        elsewhere="詳しくはこちら",
    ),
}
LANGUAGES: Final = tuple(_WORDS)
"""Languages of what is built in."""

LAST_RESORT: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Unavailable</title>'
    "<h1>This site is unavailable at the moment</h1><p>Please try again later.</p></html>\n"
)


class _Problem(Value, frozen=True):
    type: str
    title: str
    status: int
    detail: str
    site: str
    cause: str
    planned: bool
    reason: str | None
    from_: str | None = msgspec.field(name="from")
    until: str | None
    until_text: str | None
    retry_after: int | None


def phrase(status: int) -> str:
    """The reason phrase; empty, which RFC 9112 §4 allows, for a status without a name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def problem(facts: Facts, language: str) -> str:
    """The apology as ``application/problem+json``."""
    zone, until = facts.timezone, facts.promised
    reason = facts.reason_in(language)
    told = _Problem(
        type="about:blank",
        title=phrase(facts.status) or "Unavailable",
        status=facts.status,
        detail=_utf8(reason or _sentence(facts, _words(language))),
        site=facts.site,
        cause=facts.cause.value,
        planned=facts.planned,
        reason=None if reason is None else _utf8(reason),
        from_=None if facts.since is None else rfc3339(facts.since, zone),
        until=None if until is None else rfc3339(until, zone, up=True),
        until_text=None if facts.promised_text is None else _utf8(facts.promised_text),
        retry_after=facts.wait if until is None else None,
    )
    return f"{msgspec.json.encode(told).decode()}\n"


def text(facts: Facts, language: str) -> str:
    """The apology as plain text, a few lines."""
    return "".join(f"{line}\n" for line in _lines(facts, language, _words(language)))


def elsewhere(facts: Facts, language: str, url: str) -> str:
    """A short page of HTML for who does not follow a redirection to `url` (RFC 9110 §15.4.3)."""
    words = _words(language)
    said = html.escape(_sentence(facts, words))
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{said}</title>'
        f'<p>{said}</p><p><a href="{html.escape(url)}">{words.elsewhere}</a></p></html>\n'
    )


def _words(language: str) -> _Words:
    return _WORDS[lookup(language, _WORDS) or LANGUAGES[0]]


def _sentence(facts: Facts, words: _Words) -> str:
    if not facts.planned:
        return words.trouble.format(facts.site)
    said = words.verifying if facts.phase is Phase.VERIFYING else words.planned
    return said.format(facts.site)


def _lines(facts: Facts, language: str, words: _Words) -> Iterator[str]:
    zone, until = facts.timezone, facts.promised
    yield _sentence(facts, words)
    reason = facts.reason_in(language)
    if reason is not None:
        yield words.reason.format(" ".join(reason.split()))
    if facts.since is not None:
        yield words.since.format(spoken(facts.since, zone, language=language))
    end = facts.promised_text
    if until is not None:
        end = spoken(until, zone, up=True, language=language)
    yield words.later if end is None else words.until.format(" ".join(end.split()))


def _utf8(said: str) -> str:
    """A reason from JSON may hold half a surrogate pair."""
    return said.encode("utf-8", "replace").decode("utf-8")
