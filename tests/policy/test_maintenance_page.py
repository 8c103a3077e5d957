"""The pages that come with sorryd: what they tell, and that nothing breaks out of them."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from typing import Final

import pytest
from tests.contrast import Colour, contrast
from tests.policy.outages import DEAD, PLANNED, TWO, apology, parsed

from sorryd.model import Cause, Phase
from sorryd.policy.facts import Facts
from sorryd.policy.pages import compile_page, default_page_path

FILES: Final = {
    "en": default_page_path(),
    "ja": default_page_path().with_name("maintenance.ja.html"),
}
SOURCES: Final = {language: file.read_text(encoding="utf-8") for language, file in FILES.items()}
VERIFYING: Final = Facts(site="shop", cause=Cause.WINDOW, timezone="UTC", phase=Phase.VERIFYING)
OPEN: Final = Facts(site="shop", cause=Cause.MANUAL, timezone="UTC")
IN_WORDS: Final = Facts(
    site="shop", cause=Cause.MANUAL, timezone="UTC", until_text="12pm Central Time"
)
KINDS: Final = [
    pytest.param(PLANNED, id="planned"),
    pytest.param(OPEN, id="no end is known"),
    pytest.param(IN_WORDS, id="an end in words"),
    pytest.param(VERIFYING, id="verifying"),
    pytest.param(DEAD, id="unplanned"),
]
LANGUAGES = pytest.mark.parametrize("language", sorted(SOURCES))
BREAKING_OUT = "</p><script>alert(1)</script>\r\nSet-Cookie: a=b\r\n\r\n\"' {{ 7*7 }} \x00 \ud800"


def shipped(facts: Facts, language: str = "en") -> str:
    return compile_page(SOURCES[language], language).render(facts)


class Tags(HTMLParser):
    """Collects the tags and the text of a page, and refuses tags that do not match."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.seen]

    def with_id(self, identifier: str) -> dict[str, str | None] | None:
        """The attributes of the element with an id; none where there is no such element."""
        found = [attributes for _, attributes in self.seen if attributes.get("id") == identifier]
        return found[0] if found else None


def read(text: str) -> Tags:
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert tags.open == []
    return tags


# --- what it tells ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "facts", "told"),
    [
        ("en", PLANNED, ["Down for maintenance", "Database upgrade", "at the time below"]),
        ("en", PLANNED, ["Back by", "Sunday, 22 November 2026, 05:00 JST"]),
        ("en", OPEN, ["Down for maintenance", "as soon as the work is done"]),
        ("en", IN_WORDS, ["Down for maintenance", "Back by", "12pm Central Time"]),
        ("en", VERIFYING, ["Back any moment", "checking that everything runs"]),
        ("en", DEAD, ["having trouble", "not planned"]),
        ("ja", PLANNED, ["メンテナンス中", "再開予定", "2026年11月22日(日) 5:00 JST"]),
        ("ja", OPEN, ["メンテナンス中", "作業が終わりしだい"]),
        ("ja", IN_WORDS, ["メンテナンス中", "再開予定", "12pm Central Time"]),
        ("ja", VERIFYING, ["まもなく再開", "確かめて"]),
        ("ja", DEAD, ["障害", "復旧の時刻はまだ"]),
    ],
)
def test_what_is_told(language: str, facts: Facts, told: list[str]) -> None:
    """Each kind of outage is told in its own words, with what is known of it."""
    text = read(shipped(facts, language)).text
    assert [words for words in told if words not in text] == []


@LANGUAGES
def test_planned_end_for_machines(language: str) -> None:
    """A known end is a time element, and the hands of the clock stand at it without scripts."""
    tags = read(shipped(PLANNED, language))
    assert tags.with_id("until") == {"id": "until", "datetime": "2026-11-22T05:00:00+09:00"}
    hour, minute = tags.with_id("hour"), tags.with_id("minute")
    assert hour is not None
    assert minute is not None
    assert (hour["style"], minute["style"]) == (
        "transform: rotate(150.0deg)",
        "transform: rotate(0deg)",
    )


@LANGUAGES
@pytest.mark.parametrize("facts", [OPEN, IN_WORDS, VERIFYING, DEAD])
def test_no_end_is_promised(language: str, facts: Facts) -> None:
    """Where no time is known, no clock has hands and no element holds one."""
    tags = read(shipped(facts, language))
    assert tags.with_id("until") is None
    assert tags.with_id("hour") is None
    assert "time" not in tags.names


@pytest.mark.parametrize(("language", "word"), [("en", "maintenance"), ("ja", "メンテナンス")])
def test_trouble_is_not_called_maintenance(language: str, word: str) -> None:
    """An unplanned outage is not passed off as planned."""
    assert word not in read(shipped(DEAD, language)).text


# --- one file, for everybody --------------------------------------------------------------


@LANGUAGES
@pytest.mark.parametrize("facts", KINDS)
def test_stands_alone(language: str, facts: Facts) -> None:
    """It asks for nothing else over the network, and names its language."""
    text = shipped(facts, language)
    tags = read(text)
    assert not {"img", "link", "iframe", "object", "base"} & set(tags.names)
    assert not any("src" in attributes for _, attributes in tags.seen)
    assert [attributes["href"] for name, attributes in tags.seen if name == "a"] == [""]
    assert re.findall("https?:|url\\(|@import|//[a-z]", text) == []
    assert f'<html lang="{language}">' in text


@LANGUAGES
@pytest.mark.parametrize("facts", KINDS)
def test_outline(language: str, facts: Facts) -> None:
    """One main landmark, one heading, and a title that says both what and who."""
    tags = read(shipped(facts, language))
    assert tags.names.count("main") == 1
    assert [name for name in tags.names if re.fullmatch("h[1-6]", name)] == ["h1"]
    title = re.search("<title>(.+?)</title>", shipped(facts, language))
    heading = re.search("<h1>(.+?)</h1>", shipped(facts, language))
    assert title is not None
    assert heading is not None
    assert title[1] == f"{heading[1]} \N{EN DASH} shop"


@pytest.mark.parametrize(("retry_after", "seconds"), [(1, "5"), (45, "45"), (7200, "300")])
def test_without_scripts(retry_after: float, seconds: str) -> None:
    """Without scripts it is loaded again now and then: not too often, and not too seldom."""
    facts = Facts(site="shop", cause=Cause.MEMBERS, timezone="UTC", retry_after=retry_after)
    refreshed = f'<noscript><meta http-equiv="refresh" content="{seconds}"></noscript>'
    assert refreshed in shipped(facts)


@LANGUAGES
@pytest.mark.parametrize("facts", KINDS)
def test_ids(language: str, facts: Facts) -> None:
    """Ids are there once, and what the script can't do without is there always."""
    tags = read(shipped(facts, language))
    ids = [attributes["id"] for _, attributes in tags.seen if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {"note", "again", "arc", "count", "left"} <= set(ids)


def test_reason_can_not_break_out() -> None:
    """Whatever a reason or an end holds, head and mark-up are as with a plain one."""
    plain = Facts(
        site="shop", cause=Cause.MANUAL, timezone="UTC", reason="r", since=TWO, until_text="u"
    )
    evil = Facts(
        site=BREAKING_OUT,
        cause=Cause.MANUAL,
        timezone="UTC",
        reason=BREAKING_OUT,
        since=TWO,
        until_text=BREAKING_OUT,
    )
    _, fields, body = parsed(apology(SOURCES["en"], evil).response(TWO))
    expected = parsed(apology(SOURCES["en"], plain).response(TWO))[1]
    assert {**fields, "Content-Length": ""} == {**expected, "Content-Length": ""}
    assert int(fields["Content-Length"]) == len(body)
    assert b"{{ 7*7 }}" in body
    assert read(body.decode()).names == read(shipped(plain)).names


# --- two languages, one page --------------------------------------------------------------


def test_languages_differ_in_words_alone() -> None:
    """Layout, style and script are the same to the letter: only the words on top differ."""
    mark = "{# From here on, this file is the same in every language."
    words, rest = zip(*(source.split(mark) for source in SOURCES.values()), strict=True)
    assert len(set(rest)) == 1
    names = [re.findall(r'^  "(\w+)":', text, re.MULTILINE) for text in words]
    assert names[0] == names[1]
    assert len(set(words)) == len(words)


@LANGUAGES
def test_size(language: str) -> None:
    """It stays small on the wire, whatever is added to it."""
    body = shipped(PLANNED, language).encode()
    assert len(body) < 11_000
    assert len(gzip.compress(body, 9)) < 4_700


# --- contrast (WCAG 2.2, 1.4.3 and 1.4.11) --------------------------------------------------


def schemes() -> dict[str, dict[str, Colour]]:
    """The colours of each scheme, planned and unplanned, by their names."""
    style = SOURCES["en"].split("<style>")[1].split("</style>")[0]
    light, dark = style.split("* { box-sizing")[0].split("@media (prefers-color-scheme: dark)")
    found = {}
    for name, rules in (("light", light), ("dark", dark)):
        calm, trouble = rules.split(".unplanned")
        found[name] = colours(calm)
        found[f"{name}, unplanned"] = colours(calm) | colours(trouble)
    return found


def colours(rules: str) -> dict[str, Colour]:
    return {name: Colour.of(text) for name, text in re.findall(r"--(\w+): (#\w{6})\b", rules)}


@pytest.mark.parametrize("scheme", ["light", "dark", "light, unplanned", "dark, unplanned"])
@pytest.mark.parametrize(
    ("ink", "paper", "least"),
    [
        ("ink", "page", 7),
        ("soft", "page", 4.5),
        ("mark", "page", 4.5),
        ("page", "mark", 4.5),  # the button under the pointer
        ("ink", "face", 4.5),
        ("mark", "face", 3),
    ],
)
def test_contrast(scheme: str, ink: str, paper: str, least: float) -> None:
    """Text stands out from its ground in both schemes."""
    found = schemes()[scheme]
    assert contrast(found[ink], found[paper]) >= least


def test_contrast_is_measured() -> None:
    """Black on white is 21, as WCAG has it, and a scheme's colours are its own."""
    white = Colour.of("#ffffff")
    assert contrast(Colour.of("rgb(0, 0, 0)"), white) == pytest.approx(21)
    assert contrast(Colour.of("#777777"), white) == pytest.approx(4.48, abs=0.01)
    assert len({found["mark"] for found in schemes().values()}) == 4
