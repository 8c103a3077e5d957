"""sorryd.ini into values: what is taken, and the file that is shipped."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from sorryd import config, config_values, ini
from sorryd.config_keys import DAEMON, DAEMON_LATER, SITE, SITE_LATER
from sorryd.model import Certificate, Config, Listen, Member, Site, Timeouts

GOOD = "[site a]\nlisten = 127.0.0.1:80\nmembers = http://10.0.0.1\n"
SHIPPED = Path(__file__).parents[1] / "etc" / "sorryd.ini"


def load(text: str) -> Config:
    """The configuration in a text that stands for /etc/sorryd/sorryd.ini."""
    return config.build(ini.parse("/etc/sorryd/sorryd.ini", text.encode()))


def site(more: str) -> Site:
    """The site of a good file with more lines in its section."""
    return load(GOOD + more).sites[0]


def test_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys make a site; all else has the documented default."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    found = load(GOOD)
    (only,) = found.sites
    page = only.sorry_page
    assert os.path.basename(page) == "maintenance.html"
    assert found == Config(
        file="/etc/sorryd/sorryd.ini",
        control="/run/sorryd/control.sock",
        state="/var/lib/sorryd/sorryd.db",
        timezone="Asia/Tokyo",
        sites=(
            Site(
                name="a",
                listen=(Listen(host="127.0.0.1", port=80),),
                members=(Member(url="http://10.0.0.1", host="10.0.0.1", port=80),),
                timezone="Asia/Tokyo",
                sorry_page=page,
                sorry_template=Path(page).read_text(encoding="utf-8"),
            ),
        ),
    )


def test_the_daemon() -> None:
    """Paths are made absolute, relative to the file; the mode is octal."""
    found = load(
        "[sorryd]\ncontrol = ../../run/c.sock\ncontrol_mode = 0600\ncontrol_group = root\n"
        "state = s.db\nworkers = 0\ntimezone = Europe/Berlin\naccess_log =\n" + GOOD
    )
    assert found.control == "/run/c.sock"
    assert found.state == "/etc/sorryd/s.db"
    assert found.control_mode == 0o600
    assert found.control_group == "root"
    assert found.timezone == found.sites[0].timezone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("line", "name", "expected"),
    [
        ("tls_min = 1.3", "tls_min", "1.3"),
        ("preserve_host = no", "preserve_host", False),
        ("preserve_host = Off", "preserve_host", False),
        ("preserve_host = true", "preserve_host", True),
        ("preserve_host =", "preserve_host", True),
        ("timezone = America/New_York", "timezone", "America/New_York"),
        ("sorry_status = 500", "sorry_status", 500),
        ("retry_after = 2m", "retry_after", 120.0),
        ("drain = 0", "drain", 0.0),
        ("drain = 1h30m", "drain", 5400.0),
        ("announce = 2d", "announce", 172800.0),
        ("max_header_bytes = 8k", "max_header_bytes", 8192),
        ("max_body_bytes = 2G", "max_body_bytes", 2 * 1024**3),
        ("max_body_bytes = 1048576", "max_body_bytes", 1024**2),
        ("max_connections = 1", "max_connections", 1),
        ("balance = round_robin", "name", "a"),
        ("sorry_mode = here", "name", "a"),
        ("rewrite_location = no", "name", "a"),
        ("redirect_https = no", "name", "a"),
        ("read_only = no", "name", "a"),
        ("hosts =", "name", "a"),
        ("exempt = ; none", "name", "a"),
    ],
)
def test_a_site_key(line: str, name: str, expected: Any) -> None:
    """A key gives its field; one with an empty value counts as left out."""
    assert getattr(site(line), name) == expected


def test_timeouts() -> None:
    """Every timeout of the file has its field; a bare number is seconds."""
    names = Timeouts.__struct_fields__
    lines = "".join(f"timeout_{name} = {index}\n" for index, name in enumerate(names, 7))
    found = site(lines).timeouts
    assert [getattr(found, name) for name in names] == [
        float(index) for index, _ in enumerate(names, 7)
    ]
    assert site("timeout_idle = 500ms").timeouts.idle == 0.5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0:80", [Listen(host="0.0.0.0", port=80)]),
        ("[::]:443", [Listen(host="::", port=443)]),
        ("[2001:DB8:0::1]:65535", [Listen(host="2001:db8::1", port=65535)]),
        (
            "127.0.0.1:0, 127.0.0.1:0,",
            [Listen(host="127.0.0.1", port=0), Listen(host="127.0.0.1", port=0)],
        ),
        (
            "\n  0.0.0.0:80\n  [::]:80",
            [Listen(host="0.0.0.0", port=80), Listen(host="::", port=80)],
        ),
        (
            "127.0.0.1:80, 127.0.0.2:80",
            [Listen(host="127.0.0.1", port=80), Listen(host="127.0.0.2", port=80)],
        ),
    ],
)
def test_listeners(text: str, expected: list[Listen]) -> None:
    """Listeners stand on one line with commas, or on several; port 0 may repeat."""
    found = load(f"[site a]\nlisten = {text}\nmembers = http://10.0.0.1").sites[0]
    assert list(found.listen) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://10.0.0.1:3000", {"host": "10.0.0.1", "port": 3000}),
        ("http://app_1.example", {"host": "app_1.example", "port": 80}),
        ("http://[::1]:81", {"host": "::1", "port": 81}),
        ("http://a weight=256", {"weight": 256}),
        ("http://a weight=1 retry=0", {"retry": 0.0}),
        ("http://a retry=1m", {"retry": 60.0}),
        ("http://a", {"retry": 9.0, "standby": False, "tls": None}),
    ],
)
def test_members(text: str, expected: dict[str, object]) -> None:
    """A member is a URL and its options; the site's retry holds where it has none."""
    (member,) = (
        load(f"[site a]\nlisten = 127.0.0.1:80\nretry = 9\nmembers = {text}").sites[0].members
    )
    assert member.url == text.split()[0]
    assert {name: getattr(member, name) for name in expected} == expected


def test_standby_members_and_order() -> None:
    """Members keep their order; a standby is one beside others."""
    members = (
        load("[site a]\nlisten = 127.0.0.1:80\nmembers =\n  http://b standby\n  http://a\n")
        .sites[0]
        .members
    )
    assert [(member.url, member.standby) for member in members] == [
        ("http://b", True),
        ("http://a", False),
    ]


def test_self_signed() -> None:
    """The word self-signed gives a certificate of sorryd's own, kept beside the journal."""
    found = load(
        "[sorryd]\nstate = /var/lib/x/s.db\n"
        + GOOD.replace(":80", ":443 tls")
        + "certificate = self-signed"
    ).sites[0]
    assert found.certificates[0] == Certificate(
        chain="/var/lib/x/self-signed-a.pem",
        key="/var/lib/x/self-signed-a.key",
        self_signed=True,
    )


def test_the_page_beside_the_file(tmp_path: Path) -> None:
    """maintenance.html beside the file is the page where none is named."""
    (tmp_path / "maintenance.html").write_text("{{ site }}", encoding="utf-8")
    (tmp_path / "f.ini").write_text(GOOD)
    found = config.load(str(tmp_path / "f.ini")).sites[0]
    assert found.sorry_page == str(tmp_path / "maintenance.html")
    assert found.sorry_template == "{{ site }}"


@pytest.mark.parametrize(
    ("environ", "link", "zone"),
    [
        ({"TZ": "Asia/Tokyo"}, "/usr/share/zoneinfo/Europe/Berlin", "Asia/Tokyo"),
        ({"TZ": ":/usr/share/zoneinfo/Asia/Tokyo"}, "", "Asia/Tokyo"),
        ({}, "/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ({"TZ": ""}, "../usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        ({"TZ": "no such zone"}, "/nowhere", "UTC"),
        ({}, "", "UTC"),
    ],
)
def test_the_machines_zone(tmp_path: Path, environ: dict[str, str], link: str, zone: str) -> None:
    """The machine's zone is TZ's, else that of the localtime link, else UTC."""
    localtime = tmp_path / "localtime"
    if link:
        localtime.symlink_to(link)
    assert config_values.machine_zone(environ, str(localtime)) == zone


# --- the file that is shipped -------------------------------------------------------------


def test_the_shipped_file() -> None:
    """The shipped file is good, needs no privileges and shows both kinds of listener."""
    found = config.load(str(SHIPPED))
    assert found.control == str(SHIPPED.parents[1] / "var" / "control.sock")
    (demo,) = found.sites
    assert demo.listen == (
        Listen(host="127.0.0.1", port=8080),
        Listen(host="127.0.0.1", port=8443, tls=True),
    )
    assert [(member.url, member.weight) for member in demo.members] == [
        ("http://127.0.0.1:9001", 3),
        ("http://127.0.0.1:9002", 1),
    ]
    assert ini.control_path(str(SHIPPED)) == found.control


def test_the_shipped_comments() -> None:
    """Every key that the shipped file teaches in a comment is one that is served."""
    text = SHIPPED.read_text(encoding="utf-8")
    taught = set(re.findall(r"^; (\w+) +=", text, re.MULTILINE))
    assert len(taught) > 10
    assert taught <= {*DAEMON, *SITE} - {*DAEMON_LATER, *SITE_LATER}


def test_the_shipped_defaults() -> None:
    """What the shipped file calls a default in a comment is the default."""
    text = SHIPPED.read_text(encoding="utf-8")
    _, _, defaults = text.partition("These are the defaults.")
    lines = re.findall(r"^; (\w+ = \w+)", defaults, re.MULTILINE)
    assert len(lines) > 5
    assert site("\n".join(lines)) == site("")
