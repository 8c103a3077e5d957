"""Members of a site: their URLs and options."""

import pytest
from tests.configs import faults, load

SITE = "[site a]\nlisten = 127.0.0.1:80\nretry = 9\nmembers =\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://10.0.0.1:3000", {"host": "10.0.0.1", "port": 3000}),
        ("http://app_1.example", {"host": "app_1.example", "port": 80}),
        ("http://[::1]:81", {"host": "::1", "port": 81}),
        ("https://a.example", {"host": "a.example", "port": 443}),
        ("http://a", {"path": "", "socket": None, "max_connections": 0}),
        ("http://a/", {"path": ""}),
        ("http://a/app", {"host": "a", "path": "/app"}),
        ("http://a:81/app/v2/", {"port": 81, "path": "/app/v2"}),
        ("http://a/b@c:80//d%20e/%2f", {"host": "a", "path": "/b@c:80//d%20e/%2f"}),
        (
            "unix:/run/app.sock",
            {"socket": "/run/app.sock", "host": "localhost", "port": 80, "path": "", "tls": None},
        ),
        ("unix:/run/app.sock:/app/", {"socket": "/run/app.sock", "path": "/app"}),
        ("unix:/run/app:1.sock:/", {"socket": "/run/app:1.sock", "path": ""}),
        ("unix:///run/app.sock", {"socket": "/run/app.sock", "path": ""}),
        ("unix:../app.sock:/app", {"socket": "/etc/app.sock", "path": "/app"}),
        ("unix:app.sock weight=2", {"socket": "/etc/sorryd/app.sock", "weight": 2}),
        ("http://a weight=256", {"weight": 256}),
        ("http://a weight=1 retry=0", {"retry": 0.0}),
        ("http://a retry=1m", {"retry": 60.0}),
        ("http://a", {"retry": 9.0, "standby": False, "tls": None}),
        ("http://a max_connections=1", {"max_connections": 1}),
        ("http://a max_connections=1000000", {"max_connections": 1_000_000}),
    ],
)
def test_members(text: str, expected: dict[str, object]) -> None:
    """A member is a URL and its options; the site's retry holds where it has none."""
    (member,) = load(f"{SITE}  {text}").sites[0].members
    assert member.url == text.split()[0]
    assert {name: getattr(member, name) for name in expected} == expected


def test_members_side_by_side() -> None:
    """Members keep their order; servers differ by scheme, port, socket or path."""
    urls = ["http://b", "http://a", "https://a:80", "http://a/x", "http://a/X", "http://a:81"]
    urls += ["unix:/a", "unix:/b", "unix:/a:/x", "http://localhost"]
    lines = "".join(f"  {url}\n" for url in urls)
    members = load(SITE + lines.replace("b\n", "b standby\n", 1)).sites[0].members
    assert [member.url for member in members] == urls
    assert [member.standby for member in members] == [True, *[False] * 9]


FIRST = "a member starts with http://, https:// or unix:"
NAME = "not a host's name (for other alphabets write xn--...)"
OPTIONS = (
    "no such option (there are weight=, retry=, max_connections=, standby, "
    "and for https:// ca=, name=, verify=, cert=, key=)"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ftp://a", [f"ftp://a: {FIRST}"]),
        ("HTTP://a", [f"HTTP://a: {FIRST}"]),
        ("a:80", [f"a:80: {FIRST}"]),
        ("http://", ["http://: no host"]),
        ("http://:80", ["http://:80: no host"]),
        ("http:///app", ["http:///app: no host"]),
        ("http://a:0", ["http://a:0: the port must be 1 to 65535"]),
        ("http://a:99999", ["a:99999: the port must be 1 to 65535"]),
        ("http://a?b", ["http://a?b: a member has no ? and no #"]),
        ("http://a/b#c", ["http://a/b#c: a member has no ? and no #"]),
        ("http://u@a", ["http://u@a: a user and a password can't be sent to a member"]),
        ("http://u:p@a/", ["http://u:p@a/: a user and a password can't be sent to a member"]),
        ("http://a/größe", ["/größe: a path is of visible ASCII characters (else %XX)"]),
        ("http://a..b", [f"a..b: {NAME}"]),
        ("http://größe", [f"größe: {NAME}"]),
        ("http://1.2.3.400", ["1.2.3.400: not an IP address"]),
        ("unix:", ["unix:: a path must follow unix:"]),
        ("unix:/" + "x" * 107,
         ["/" + "x" * 107 + ": longer than the 107 bytes that a UNIX socket may have"]),
        ("unix:/run/a:/ö", ["/ö: a path is of visible ASCII characters (else %XX)"]),
        ("unix:/run/a?b", ["unix:/run/a?b: a member has no ? and no #"]),
        ("http://a weight=0", ["weight=0: must be a whole number, 1 to 256"]),
        ("http://a weight=257", ["weight=257: must be a whole number, 1 to 256"]),
        ("http://a weight=1 weight=2", ["weight=2: weight is said twice"]),
        ("http://a retry=-1", ["retry=-1: a duration cannot be negative"]),
        ("http://a max_connections=0",
         ["max_connections=0: must be a whole number, 1 to 1000000"]),
        ("http://a max_connections=1000001",
         ["max_connections=1000001: must be a whole number, 1 to 1000000"]),
        ("http://a weight", [f"weight: {OPTIONS}"]),
        ("http://a standby=yes", [f"standby=yes: {OPTIONS}"]),
        ("http://a http://b", ["http://b: each member stands on a line of its own"]),
        ("http://a unix:/b", ["unix:/b: each member stands on a line of its own"]),
        ("http://a verify=no", ["verify=no: only for https:// members"]),
        ("unix:/a cert=c", ["cert=c: only for https:// members"]),
        ("http://a key=k", ["key=k: only for https:// members"]),
        ("https://a verify=2", ["verify=2: say yes or no"]),
        ("https://a name=-", [f"name=-: {NAME}"]),
        ("https://a cert=c", ["cert=/etc/sorryd/c: cannot be read: No such file or directory"]),
        (
            "x weight=0 foo",
            [f"x: {FIRST}", "weight=0: must be a whole number, 1 to 256", f"foo: {OPTIONS}"],
        ),
    ],
)  # fmt: skip
def test_bad_members(text: str, expected: list[str]) -> None:
    """All that is wrong with a member's line is told at that line."""
    assert faults(f"{SITE}  {text}") == [f"5: [site a] members: {line}" for line in expected]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("http://a", "http://A:80 weight=2"),
        ("https://a ", "https://a:443 verify=no"),
        ("http://[::1]", "http://[0::1]:80"),
        ("http://a/app", "http://a:80/app/"),
        ("unix:/run/a", "unix:/run/../run/a:/"),
        ("unix:/run/a:/x", "unix:///run/a:/x/"),
    ],
)
def test_a_member_twice(first: str, second: str) -> None:
    """The same server and path, however spelled, is told with the line of the first."""
    assert faults(f"{SITE}  {first}\n  http://other\n  {second}") == [
        f"7: [site a] members: {second.split()[0]}: is already at line 5"
    ]


@pytest.mark.parametrize("workers", ["2", "3", "0"])
def test_a_limit_for_each_worker(workers: str) -> None:
    """A member's limit is split among workers, and none of them may be left without a part."""
    found = faults(f"[sorryd]\nworkers = {workers}\n{SITE}  http://a max_connections=2\n  http://b")
    few = "max_connections=2: must be at least 3, one for each of the workers"
    assert found == ([f"7: [site a] members: {few}"] if workers == "3" else [])


def test_standby_alone() -> None:
    """Standby members need one that they stand by for."""
    assert faults(f"{SITE}  http://a standby\n  http://b standby") == [
        "4: [site a] members: at least one member must not be standby"
    ]
