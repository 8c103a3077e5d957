"""The forms of the apology, as real programs get them of a real daemon."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.end_to_end.daemon import NOBODY, Daemon, configuration, section
from tests.end_to_end.load import Pages, asking, check_apology, check_page
from tests.end_to_end.programs import curl, needs
from tests.end_to_end.wire import request, visitor


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Two sites that are down: one with the pages that come with sorryd, and one elsewhere."""
    ini = configuration([NOBODY], drain="0s", timezone="Asia/Tokyo")
    ini += section(
        "away", [NOBODY], listen="127.0.0.1:0", sorry_mode="redirect http://127.0.0.1:9/sorry"
    )
    with Daemon(tmp_path_factory.mktemp("forms"), ini) as daemon:
        daemon.ask("site.down", {"reason": "新しい <database>", "for": "2h"})
        yield daemon


def url(daemon: Daemon, site: str = "shop") -> str:
    return f"http://127.0.0.1:{daemon.port(site)}/any/path?a=b"


@needs("curl")
def test_curl(closed: Daemon) -> None:
    """Plain curl gets HTML; with --compressed the same bytes, compressed on the way."""
    plain = curl(url(closed))
    assert (plain.exit, plain.status) == (0, 503)
    assert plain.head.one("Content-Type") == b"text/html; charset=utf-8"
    assert plain.head.one("Content-Encoding") is None
    small = curl("--compressed", url(closed))
    assert small.head.one("Content-Encoding") == b"gzip"
    assert small.body == plain.body
    assert int(small.head.one("Content-Length") or 0) < len(plain.body)
    assert small.head.one("Vary") == b"Accept, Accept-Language, Accept-Encoding"


@needs("curl")
def test_curl_that_asks(closed: Daemon) -> None:
    """Who asks for JSON, text or Japanese gets it, with one and the same end."""
    problem = curl("--json", '{"a": 1}', url(closed))
    assert problem.head.one("Content-Type") == b"application/problem+json"
    told = json.loads(problem.body)
    assert told["reason"] == "新しい <database>"
    text = curl("--header", "Accept: text/plain", "--header", "Accept-Language: ja", url(closed))
    assert text.head.one("Content-Language") == b"ja"
    assert "理由: 新しい <database>\n" in text.body.decode()
    page = curl("--header", "Accept-Language: ja-JP,ja;q=0.9,en;q=0.8", url(closed))
    assert page.head.one("Content-Language") == b"ja"
    assert '<html lang="ja"' in page.body.decode()
    assert f'datetime="{told["until"]}"' in page.body.decode()


def test_urllib(closed: Daemon) -> None:
    """Python's own client reads the problem, of the error that it raises."""
    asked = urllib.request.Request(url(closed), headers={"Accept": "application/problem+json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(asked, timeout=10)
    with caught.value as answer:
        assert answer.code == 503
        assert json.load(answer)["planned"] is True


@needs("curl")
def test_redirect(closed: Daemon) -> None:
    """A site may send its visitors elsewhere, but for programs that ask for JSON."""
    got = curl(url(closed, "away"))
    assert got.status == 302
    assert got.head.one("Location") == b"http://127.0.0.1:9/sorry"
    assert got.head.one("Cache-Control") == b"no-store"
    assert int(got.head.one("Retry-After") or 0) > 7000
    assert curl("--header", "Accept: application/json", url(closed, "away")).status == 503


def test_a_preflight_and_its_request(closed: Daemon) -> None:
    """A script of another origin is let ask, and may read the answer."""
    origin = b"Origin: https://app.example"
    with visitor(closed.port()) as wire:
        asks = b"Access-Control-Request-Method: PUT"
        wire.send(request(b"/api", origin, asks, method=b"OPTIONS"))
        granted = wire.answer(b"OPTIONS")
        assert granted.status == 204
        assert granted.one("Access-Control-Allow-Methods") == b"PUT"
        wire.send(request(b"/api", origin, method=b"PUT", body=b"{}"))
        got = wire.answer(b"PUT")
        assert got.status == 503
        assert got.one("Access-Control-Allow-Origin") == b"https://app.example"
        assert got.one("Access-Control-Expose-Headers") == b"Retry-After, Sorry-Cause"


def test_preview_is_what_visitors_get(closed: Daemon) -> None:
    """sorryctl preview prints the page that a visitor gets, to the byte."""
    with visitor(closed.port()) as wire:
        wire.send(request(b"/", b"Accept-Language: ja", b"Accept-Encoding: gzip"))
        body = gzip.decompress(wire.answer().body)
    shown = closed.ctl("preview", "shop", "--language", "ja")
    assert shown.returncode == 0
    assert shown.stdout == body.decode()


def test_pages_of_a_folder_are_taken_by_a_reload(tmp_path: Path) -> None:
    """Pages in a folder are served by language; a reload takes what was changed and added."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "maintenance.html").write_text("<p>one</html>\n")
    with Pages() as member:
        ini = configuration([member.url], drain="0s", sorry_page="pages")
        with Daemon(tmp_path, ini) as daemon, visitor(daemon.port()) as wire:
            daemon.ask("site.down")
            assert asking(wire).body == b"<p>one</html>\n"
            (pages / "maintenance.html").write_text("<p>two</html>\n")
            (pages / "maintenance.de.html").write_text("<p>zwei {{ nobody }}\n")
            refused = daemon.ctl("reload")
            assert refused.returncode == 1
            assert "maintenance.de.html: line 1: unknown variable 'nobody'" in refused.stderr
            check_apology(asking(wire))
            (pages / "maintenance.de.html").write_text("<p>zwei</html>\n")
            assert daemon.ctl("reload").returncode == 0
            assert asking(wire).body == b"<p>two</html>\n"
            wire.send(request(b"/", b"Accept-Language: de-AT"))
            assert wire.answer().body == b"<p>zwei</html>\n"
            daemon.ask("site.up")
            check_page(asking(wire, b"/back"), "/back")
