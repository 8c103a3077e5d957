"""How members are checked, chosen and counted as failed: `check`, `balance`, `fail_on`."""

from typing import Any

import pytest
from tests.configs import GOOD, faults, site

from sorryd.model import Balance, Check, CheckKind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /", Check()),
        ("GET /healthz?deep=1", Check(target="/healthz?deep=1")),
        ("HEAD /", Check(method="HEAD")),
        ("OPTIONS *", Check(method="OPTIONS", target="*")),
        ("VERSION-CONTROL /", Check(method="VERSION-CONTROL")),
        ("GET / expect=200", Check(expect=((200, 200),))),
        ("GET / expect=200-399,404", Check(expect=((200, 399), (404, 404)))),
        ("GET / interval=100ms timeout=1ms", Check(interval=0.1, timeout=0.001)),
        ("GET / interval=1m30s timeout=1m", Check(interval=90.0, timeout=60.0)),
        ("GET / jitter=0%", Check(jitter=0.0)),
        ("GET / jitter=50%", Check(jitter=0.5)),
        ("GET / fall=1 rise=1000", Check(fall=1, rise=1000)),
        ("GET / host=shop.example.com", Check(host="shop.example.com")),
        ("GET / host=shop.example.com:8080", Check(host="shop.example.com:8080")),
        ("GET / host=[0::1]:81", Check(host="[::1]:81")),
        ("GET / host=10.0.0.1", Check(host="10.0.0.1")),
        ("tcp", Check(kind=CheckKind.TCP)),
        ("tcp interval=5s fall=2", Check(kind=CheckKind.TCP, interval=5.0, fall=2)),
    ],
)
def test_checks(text: str, expected: Check) -> None:
    """A check is a request or a connection; what is not said has the documented default."""
    assert site(f"check = {text}").check == expected


FORM = "a check is METHOD TARGET, such as GET /healthz, or tcp"
OPTIONS = (
    "no such option (there are expect=, interval=, timeout=, jitter=, rise=, fall=, host=)"
)  # fmt: skip
CODES = "must be a status code or a range of them, 200 to 599"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET", [f"GET: {FORM}"]),
        ("/healthz", [f"/healthz: {FORM}"]),
        ("get /", [f"get /: {FORM}"]),
        ("http://a/", [f"http://a/: {FORM}"]),
        ("TCP", [f"TCP: {FORM}"]),
        ("GET healthz", ["healthz: a target begins with / and is ASCII without #"]),
        ("OPTIONS x", ["x: a target begins with / and is ASCII without #"]),
        ("GET *", ["*: a target begins with / and is ASCII without #"]),
        ("GET /a#b", ["/a#b: a target begins with / and is ASCII without #"]),
        ("GET /ö", ["/ö: a target begins with / and is ASCII without #"]),
        ("CONNECT /", ["CONNECT: asks for a tunnel; say GET or HEAD"]),
        ("GET / expect=2xx", [f"expect=2xx: {CODES}"]),
        ("GET / expect=200,", [f"expect=: {CODES}"]),
        ("GET / expect=399-200", [f"expect=399-200: {CODES}"]),
        ("GET / expect=100", [f"expect=100: {CODES}"]),
        ("GET / expect=600", [f"expect=600: {CODES}"]),
        ("GET / interval=2000", ["interval=2000: a duration needs a unit (2000s, 2000m, 2000h)"]),
        ("GET / interval=10ms", ["interval=10ms: must be at least 100ms"]),
        ("GET / timeout=0", ["timeout=0: must be at least 1ms"]),
        ("GET / jitter=51%", ["jitter=51%: must be 0% to 50%"]),
        ("GET / jitter=0.1", ["jitter=0.1: must be 0% to 50%"]),
        ("GET / rise=0", ["rise=0: must be a whole number, 1 to 1000"]),
        ("GET / fall=1001", ["fall=1001: must be a whole number, 1 to 1000"]),
        ("GET / rise=1 rise=2", ["rise=2: rise is said twice"]),
        ("GET / host=a:0", ["host=a:0: the port must be 1 to 65535"]),
        ("GET / host=a/b", ["host=a/b: not a host's name (for other alphabets write xn--...)"]),
        ("GET / every=2s", [f"every=2s: {OPTIONS}"]),
        ("GET / interval=", [f"interval=: {OPTIONS}"]),
        ("tcp expect=200", ["expect=200: a check by tcp asks for nothing"]),
        ("tcp host=a", ["host=a: a check by tcp asks for nothing"]),
        ("tcp /healthz", [f"/healthz: {OPTIONS}"]),
        (
            "GET x rise=0 fall=x",
            [
                "x: a target begins with / and is ASCII without #",
                "rise=0: must be a whole number, 1 to 1000",
                "fall=x: must be a whole number, 1 to 1000",
            ],
        ),
    ],
)
def test_bad_checks(text: str, expected: list[str]) -> None:
    """All that is wrong with a check is told at its line."""
    assert faults(f"{GOOD}check = {text}") == [f"4: [site a] check: {line}" for line in expected]


# --- what else makes a member fail, and who is chosen --------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ("balance = round_robin", "balance", Balance.ROUND_ROBIN),
        ("balance = least_conn", "balance", Balance.LEAST_CONN),
        ("balance = hash", "balance", Balance.HASH),
        ("balance = sticky", "balance", Balance.STICKY),
        ("sticky_cookie = __Host-my.shop_1", "sticky_cookie", "__Host-my.shop_1"),
        ("fail_on = 503", "fail_on", (503,)),
        ("fail_on = 503, 500-502, 501,\n  404", "fail_on", (404, 500, 501, 502, 503)),
        ("fail_on =", "fail_on", ()),
        ("slow_start = 30s", "slow_start", 30.0),
        ("slow_start = 0", "slow_start", 0.0),
        ("max_queue = 0", "max_queue", 0),
        ("max_queue = 1000000", "max_queue", 1_000_000),
    ],
)
def test_choosing(line: str, name: str, expected: Any) -> None:
    """Each key gives its field."""
    assert getattr(site(line), name) == expected


COOKIE = "must be a cookie's name: letters, digits, - and _, at most 64"
CODE = "must be a status code or a range of them, 400 to 599"
WORDS = "must be round_robin, least_conn, hash or sticky"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("balance = random", f"random: {WORDS}"),
        ("balance = leastconn", f"leastconn: {WORDS} (did you mean least_conn?)"),
        ("balance = Sticky", f"Sticky: {WORDS} (did you mean sticky?)"),
        ("sticky_cookie = my shop", f"my shop: {COOKIE}"),
        ("sticky_cookie = a=b", f"a=b: {COOKIE}"),
        ("sticky_cookie = größe", f"größe: {COOKIE}"),
        ("sticky_cookie = " + "x" * 65, "x" * 57 + f"...: {COOKIE}"),
        ("fail_on = 399", f"399: {CODE}"),
        ("fail_on = 600", f"600: {CODE}"),
        ("fail_on = 5xx", f"5xx: {CODE}"),
        ("fail_on = 504-500", f"504-500: {CODE}"),
        ("fail_on = 502 503", f"502 503: {CODE}"),
        ("slow_start = 30", "30: a duration needs a unit (30s, 30m, 30h)"),
        ("max_queue = 1000001", "1000001: must be a whole number, 0 to 1000000"),
        ("max_queue = -1", "-1: must be a whole number, 0 to 1000000"),
        ("timeout_queue = 0", "0: must be at least 1ms"),
    ],
)
def test_bad_choosing(line: str, expected: str) -> None:
    """A bad value is told with what would be right."""
    key = line.partition(" ")[0]
    assert faults(GOOD + line) == [f"4: [site a] {key}: {expected}"]
