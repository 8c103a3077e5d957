"""A Flask application under gunicorn: whom it thinks it speaks with, where it sends visitors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.end_to_end.applications import Applications, applications
from tests.end_to_end.programs import Fetched, needs

pytestmark = needs("curl")


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    """sorryd and the application."""
    with applications(tmp_path_factory.mktemp("applications")) as both:
        yield both


def said(fetched: Fetched) -> Any:
    """What the application said, in JSON."""
    assert fetched.status == 200, fetched
    return json.loads(fetched.body)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_application_knows_its_visitor(apps: Applications, scheme: str) -> None:
    """Scheme, host, path and address, whatever a stranger says of them."""
    lies = [
        "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: ftp", "X-Forwarded-Host: evil.example",
        "X-Forwarded-Prefix: /evil", "Forwarded: for=203.0.113.9;host=evil.example",
    ]  # fmt: skip
    options = [word for lie in lies for word in ("--header", lie)]
    got = said(apps.fetch("/where?a=1&b=c", *options, scheme=scheme))
    here = f"{scheme}://shop.example:{apps.port(scheme=scheme)}"
    assert got["url"] == f"{here}/where?a=1&b=c"
    assert got["elsewhere"] == f"{here}/where"
    assert got["visitor"] == "127.0.0.1"
    assert not [value for _, value in got["headers"] if "evil" in value or "203.0" in value]


@pytest.mark.parametrize("site", ["fixed", "bare"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("way", "status", "target"),
    [("absolute", 302, "/where"), ("path", 303, "/where"), ("relative", 307, "/where?from=here")],
)
def test_redirects_stay_with_the_visitor(
    apps: Applications, site: str, scheme: str, way: str, status: int, target: str
) -> None:
    """Each leads where it should, at the address that was asked."""
    got = apps.fetch(f"/go/{way}", "--location", site=site, scheme=scheme)
    assert [head.status for head in got.heads] == [status, 200]
    location = (got.heads[0].one("Location") or b"").decode()
    here = f"{scheme}://shop.example:{apps.port(site, scheme)}"
    expected = {"absolute": here + target, "path": target, "relative": ".." + target}
    assert location == expected[way]
    path = json.loads(got.body)["url"].partition("//")[2].partition("/")[2]
    assert f"/{path}".removeprefix("/app" * (site == "bare")) == target


def test_the_bare_application_hears_its_own_name(apps: Applications) -> None:
    """preserve_host = no: the member's host and path; the visitor's stand in the fields for it."""
    got = said(apps.fetch("/where", site="bare", scheme="https"))
    assert got["url"] == f"https://{apps.bare_authority}/app/where"  # gunicorn believes that much
    headers = dict(got["headers"])
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-Host"] == f"shop.example:{apps.port('bare', 'https')}"


@pytest.mark.parametrize("site", ["fixed", "bare"])
def test_a_login(apps: Applications, site: str, tmp_path: Path) -> None:
    """Cookies have the visitor's domain and path, and curl brings them to the next page."""
    jar = ["--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar")]
    got = apps.fetch("/login", "--data", "user=a", "--location", *jar, site=site)
    first, plain = got.heads[0].all("Set-Cookie")
    assert first == b"session=a/b=c; Domain=shop.example; Path=/"
    assert plain == b"plain=1; HttpOnly; Path=/; SameSite=Lax"
    for fetched in (got, apps.fetch("/where", *jar, site=site)):
        brought = dict(said(fetched)["headers"])["Cookie"].split("; ")
        assert sorted(brought) == ["plain=1", "session=a/b=c"]


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]


@pytest.mark.parametrize("method", METHODS)
def test_methods(apps: Applications, method: str) -> None:
    """Those that the application knows, each with a body."""
    got = said(apps.fetch("/where", "--request", method, "--data", "a=b&c=d"))
    assert (got["method"], got["body"]) == (method, "a=b&c=d")


def test_what_the_application_says_of_methods(apps: Applications) -> None:
    """OPTIONS, HEAD, a method that it does not have there, and one that nobody has."""
    got = apps.fetch("/document", "--request", "OPTIONS")
    assert sorted((got.head.one("Allow") or b"").split(b", ")) == [b"GET", b"HEAD", b"OPTIONS"]
    head, whole = apps.fetch("/document", "--head"), apps.fetch("/document")
    assert (head.status, whole.status) == (200, 200)
    assert head.head.one("Content-Length") == whole.head.one("Content-Length")
    for method in ("DELETE", "BREW"):
        assert apps.fetch("/document", "--request", method).status == 405
    assert apps.fetch("/nothing").status == 404
