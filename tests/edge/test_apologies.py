"""The apology at the edge: each visitor is told in the form they ask for."""

from __future__ import annotations

import gzip
import json

import pytest
from msgspec.structs import replace
from tests.edge.messages import GET, OK, field_of, passed, request, status_of
from tests.edge.scene import NOON, Scene, Stage, window
from twisted.logger import capturedLogs

from sorryd.edge.wheel import TICK
from sorryd.model import Health, PageKind, PageSource, SorryMode
from sorryd.snapshot import GivenPage

LONG = PageSource(source="<p>{{ reason }}" + " and so on" * 50)
JA = PageSource(source="<p>日本語 {{ until }}", language="ja")
JSON = b"Accept: application/json, text/plain, */*\r\n"
GIVEN = GivenPage(body=b"<p>theirs", media_type="text/html", since=NOON)


def body_of(message: bytes) -> bytes:
    return message.partition(b"\r\n\r\n")[2]


def got(scene: Scene, asked: bytes) -> bytes:
    """What a new visitor gets."""
    visitor = scene.visitor()
    visitor.says(asked)
    return visitor.gets()


def test_each_as_they_ask(stage: Stage) -> None:
    """On one connection, request by request, each gets the kind, language and coding it asks."""
    scene = stage(sorry_pages=(LONG, JA))
    scene.publish(window(NOON, NOON + 600))
    visitor = scene.visitor()
    visitor.says(request(fields=JSON))
    problem = json.loads(body_of(visitor.gets()))
    assert (problem["reason"], problem["cause"]) == ("upgrade", "window")
    visitor.says(request(fields=b"Accept-Language: ja\r\n"))
    assert body_of(visitor.gets()).decode() == "<p>日本語 2026年11月21日(土) 14:10 UTC"
    visitor.says(GET)
    plain = visitor.gets()
    assert body_of(plain).startswith(b"<p>upgrade and so on")
    visitor.says(request(fields=b"Accept-Encoding: gzip\r\n"))
    small = visitor.gets()
    assert field_of(small, b"Content-Encoding") == b"gzip"
    assert gzip.decompress(body_of(small)) == body_of(plain)
    visitor.says(request(b"HEAD / HTTP/1.1", b"Accept-Encoding: gzip\r\n"))
    assert visitor.gets() == small.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    assert visitor.is_open
    assert scene.is_asking_nobody


def test_in_flight_at_the_end_of_drain(stage: Stage) -> None:
    """Who is in flight at the end of drain is told in the form that their request asked for."""
    scene = stage()
    visitor = scene.visitor()
    visitor.says(request(fields=JSON))
    scene.member()
    scene.publish(window(NOON, NOON + 600))
    scene.passes(2 * TICK)
    answer = visitor.gets()
    assert status_of(answer) == 503
    assert json.loads(body_of(answer))["site"] == "shop"


def test_members_that_fail(stage: Stage) -> None:
    """Where members fail it is told by kind, too, with the status that is due."""
    scene = stage()
    scene.refusing["a"] = "connection refused"
    answer = got(scene, request(fields=JSON))
    problem = json.loads(body_of(answer))
    assert status_of(answer) == problem["status"]
    assert (problem["cause"], problem["planned"], problem["until"]) == ("members", False, None)
    scene.publish(a=Health.DOWN)
    assert json.loads(body_of(got(scene, request(fields=JSON))))["status"] == 503


@pytest.mark.parametrize("has_body", [False, True])
def test_preflight(stage: Stage, has_body: bool) -> None:
    """A preflight is granted while the site is down, on a connection that lives."""
    scene = stage()
    scene.publish(window(NOON, NOON + 600))
    asks = b"Origin: https://app.example\r\nAccess-Control-Request-Method: DELETE\r\n"
    body = b"x" if has_body else b""
    asks += b"Content-Length: 1\r\n" if has_body else b""
    visitor = scene.visitor()
    visitor.says(request(b"OPTIONS / HTTP/1.1", asks, body))
    answer = visitor.gets()
    assert status_of(answer) == 204
    assert field_of(answer, b"Access-Control-Allow-Methods") == b"DELETE"
    assert field_of(answer, b"Content-Length") is None
    assert body_of(answer) == b""
    visitor.says(request(b"DELETE / HTTP/1.1", b"Origin: https://app.example\r\n"))
    answer = visitor.gets()
    assert status_of(answer) == 503
    assert field_of(answer, b"Access-Control-Allow-Origin") == b"https://app.example"
    assert visitor.is_open


def test_preflight_of_a_live_site(stage: Stage) -> None:
    """A preflight to a site that serves is its members' business."""
    scene = stage()
    asks = b"Origin: https://app.example\r\nAccess-Control-Request-Method: DELETE\r\n"
    visitor = scene.visitor()
    visitor.says(request(b"OPTIONS / HTTP/1.1", asks))
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_sent_elsewhere(stage: Stage) -> None:
    """In redirect mode browsers are sent elsewhere, as long as the maintenance lasts."""
    scene = stage(sorry_mode=SorryMode.REDIRECT, sorry_url="https://status.example/")
    scene.publish(window(NOON, NOON + 600))
    answer = got(scene, GET)
    assert status_of(answer) == 302
    assert field_of(answer, b"Location") == b"https://status.example/"
    assert field_of(answer, b"Retry-After") == b"600"
    assert status_of(got(scene, request(fields=JSON))) == 503
    scene.wall = NOON + 600
    scene.publish(a=Health.DOWN)
    assert status_of(got(scene, GET)) == 503


def test_a_page_that_comes_and_goes(stage: Stage) -> None:
    """A fetched page takes the place of the site's own as soon as it is there; a newer its."""
    scene = stage(
        sorry_mode=SorryMode.FETCH, sorry_url="http://b/", sorry_pages=(PageSource(source="own"),)
    )
    scene.publish(window(NOON, NOON + 600))
    assert body_of(got(scene, GET)) == b"own"
    newer = replace(GIVEN, body=b"<p>newer")
    for page, body in ((GIVEN, b"<p>theirs"), (newer, b"<p>newer"), (None, b"own")):
        scene.site.apply(replace(scene.site.view, fetched=page))
        assert body_of(got(scene, GET)) == body


def test_a_sorry_file(stage: Stage) -> None:
    """While there is a sorry file it is the page; without it the site serves."""
    scene = stage()
    view = scene.site.view
    scene.site.apply(replace(view, file=GIVEN))
    answer = got(scene, GET)
    assert (status_of(answer), body_of(answer)) == (503, b"<p>theirs")
    assert field_of(answer, b"Sorry-Cause") == b"file"
    scene.site.apply(view)
    visitor = scene.visitor()
    visitor.says(GET)
    scene.member().says(OK)
    assert visitor.gets() == passed(OK)


def test_a_page_that_fails_is_logged_once(stage: Stage) -> None:
    """A page that fails in an outage is told to the log with file and line, not at each request."""
    page = PageSource(
        source="\n{{ 1 // ((reason or '') | length - 7) }}", path="/etc/p", kind=PageKind.TEXT
    )
    scene = stage(sorry_pages=(LONG, page))
    scene.publish(window(NOON, NOON + 600))
    with capturedLogs() as logs:
        for _ in range(3):
            answer = got(scene, request(fields=b"Accept: text/plain\r\n"))
            assert body_of(answer).startswith(b"shop is down for maintenance.\n")
    ((event),) = logs
    assert (event["page"], event["fault"][:7]) == ("/etc/p", "line 2:")
