"""The pages of a site: where they are found, and what is said of those that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.configs import GOOD

from sorryd import config
from sorryd.config import ConfigError
from sorryd.model import PageKind, PageSource


def pages(folder: Path, more: str = "") -> tuple[PageSource, ...]:
    """The pages of a site whose sorryd.ini is in the folder."""
    file = folder / "f.ini"
    file.write_text(GOOD + more)
    return config.load(str(file)).sites[0].sorry_pages


def faults(folder: Path, more: str) -> list[str]:
    """What is said of them."""
    with pytest.raises(ConfigError) as caught:
        pages(folder, more)
    return [line.replace(f"{folder}/", "") for line in str(caught.value).splitlines()]


def write(folder: Path, **files: str) -> None:
    """Pages of these names, without maintenance and with _ for a dot."""
    folder.mkdir(exist_ok=True)
    for name, source in files.items():
        (folder / f"maintenance.{name.replace('_', '.')}").write_text(source, encoding="utf-8")


def short(found: tuple[PageSource, ...]) -> list[tuple[str, PageKind, str]]:
    return [(Path(one.path).name, one.kind, one.language) for one in found]


def test_one_page(tmp_path: Path) -> None:
    """A file is the one page for all, in the language that it says; no sibling counts."""
    write(tmp_path, html='<html lang="de">', ja_html="")
    assert pages(tmp_path, "sorry_page = maintenance.html") == (
        PageSource(
            source='<html lang="de">', path=str(tmp_path / "maintenance.html"), language="de"
        ),
    )


def test_a_folder(tmp_path: Path) -> None:
    """A folder has a page for each language and kind, those for all first; others are left."""
    write(
        tmp_path / "pages",
        html="{{ site }}", ja_html="", pt_BR_html="", json="{}", txt="", ja_txt="", html_bak="",
    )  # fmt: skip
    (tmp_path / "pages" / "maintenance.pt-BR.html").write_text("")
    (tmp_path / "pages" / "style.css").write_text("")
    (tmp_path / "pages" / "maintenance.pt.BR.html").unlink()
    found = pages(tmp_path, "sorry_page = pages")
    assert found[0].source == "{{ site }}"
    assert short(found) == [
        ("maintenance.html", PageKind.HTML, "en"),
        ("maintenance.json", PageKind.PROBLEM, "en"),
        ("maintenance.txt", PageKind.TEXT, "en"),
        ("maintenance.ja.html", PageKind.HTML, "ja"),
        ("maintenance.ja.txt", PageKind.TEXT, "ja"),
        ("maintenance.pt-BR.html", PageKind.HTML, "pt-br"),
    ]


def test_pages_beside_the_file(tmp_path: Path) -> None:
    """maintenance.html beside sorryd.ini is the page where none is named, with its siblings."""
    write(tmp_path, html='<html lang="ja">', en_html="")
    assert short(pages(tmp_path)) == [
        ("maintenance.html", PageKind.HTML, "ja"),
        ("maintenance.en.html", PageKind.HTML, "en"),
    ]


def test_pages_that_come_with_sorryd(tmp_path: Path) -> None:
    """Without any page there is sorryd's own, in English and Japanese."""
    write(tmp_path, ja_html="")  # no page for all
    found = pages(tmp_path)
    assert [(one.kind, one.language) for one in found] == [
        (PageKind.HTML, "en"),
        (PageKind.HTML, "ja"),
    ]
    assert not any(one.path.startswith(str(tmp_path)) for one in found)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, ["pages: there is no maintenance.html in it"], id="none for all"),
        pytest.param(
            {"html": "", "ja_html": "\n{{ reson }}", "json": "{", "de_html": "{% if %}"},
            [
                "pages/maintenance.json: line 1: not JSON in every outage ",
                "pages/maintenance.de.html: line 1: Expected an expression, got 'end of statement",
                "pages/maintenance.ja.html: line 2: unknown variable 'reson'; known are ",
            ],
            id="every page is tried",
        ),
        pytest.param(
            {"html": "", "japanese(new)_html": ""},
            [
                "pages/maintenance.japanese(new).html: japanese(new) is not a language "
                "(say ja, de or pt-br)"
            ],
            id="no language",
        ),
        pytest.param(
            {"html": "", "en_html": ""},
            [
                "pages/maintenance.en.html: maintenance.html is in that language too, en "
                '(which maintenance.html says in <html lang="...">)'
            ],
            id="twice",
        ),
    ],
)
def test_bad_folders(tmp_path: Path, files: dict[str, str], expected: list[str]) -> None:
    """Each page that can't be used is named, with its line."""
    write(tmp_path / "pages", **files)
    said = faults(tmp_path, "sorry_page = pages")
    assert len(said) == len(expected)
    for one, beginning in zip(said, expected, strict=True):
        assert one.startswith(f"f.ini:4: [site a] sorry_page: {beginning}")


def test_a_bad_page_beside_the_file(tmp_path: Path) -> None:
    """A sibling in a language that can't be used is refused, though no key names it."""
    write(tmp_path, html="", ja_html="{{ reson }}")
    (said,) = faults(tmp_path, "")
    assert said.startswith("f.ini:1: [site a] sorry_page: maintenance.ja.html: line 1: unknown")


@pytest.mark.parametrize(
    ("url", "is_circle"),
    [
        ("https://shop.example/sorry", True),
        ("http://SHOP.example", True),
        ("https://www.shop.example:443/sorry?a#", None),
        ("https://a.shop.example/", True),
        ("http://shop.example:80/x", True),
        ("http://shop.example:8443/x", False),
        ("https://status.example/sorry", False),
        ("https://shop.example/images/sorry.html", False),
        ("https://shop.example/live/sorry", False),
        ("https://shop.example/sorry.html", False),
        ("https://shop.example/sorry.html/x", True),
    ],
)
def test_no_circle(tmp_path: Path, url: str, is_circle: bool | None) -> None:
    """A site can't send its visitors to itself, but to what it serves while it is down."""
    (tmp_path / "public").mkdir()
    more = (
        "hosts = shop.example, *.shop.example\nsorry_assets = /images/ from public\n"
        f"exempt = /live/, /sorry.html\nsorry_mode = redirect {url}"
    )
    if is_circle is False:
        assert pages(tmp_path, more)
    else:
        (said,) = faults(tmp_path, more)
        assert said.startswith("f.ini:7: [site a] sorry_mode: ")
        assert ("sends visitors there again" in said) is (is_circle is True)
