"""sorryd.ini into values: what is taken, and the file that is shipped."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from tests.configs import GOOD, load, site

from sorryd import config, config_values, ini
from sorryd.config_keys import DAEMON, SITE
from sorryd.model import Certificate, Config, Listen, LogFormat, Member, Site, Timeouts

SHIPPED = Path(__file__).parents[1] / "etc" / "sorryd.ini"


def test_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys make a site; all else has the documented default."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    found = load(GOOD)
    (only,) = found.sites
    pages = only.sorry_pages
    assert os.path.basename(pages[0].path) == "maintenance.html"
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
                sorry_pages=pages,
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
        ("nameserver = 10.0.0.53", "nameserver", ("10.0.0.53", 53)),
        ("nameserver = 10.0.0.53:5353", "nameserver", ("10.0.0.53", 5353)),
        ("nameserver = [0::1]:5353", "nameserver", ("::1", 5353)),
        ("nameserver = [::1]", "nameserver", ("::1", 53)),
        ("nameserver = 2001:db8::53", "nameserver", ("2001:db8::53", 53)),
        ("nameserver =", "nameserver", None),
        ("access_log = -", "access_log", "-"),
        ("access_log = /var/../access.log", "access_log", "/access.log"),
        ("access_log =", "access_log", ""),
        ("access_log_format = json", "access_log_format", LogFormat.JSON),
        ("access_log_format = combined", "access_log_format", LogFormat.COMBINED),
    ],
)
def test_a_daemon_key(line: str, name: str, expected: Any) -> None:
    """A key gives its field."""
    assert getattr(load(f"[sorryd]\n{line}\n{GOOD}"), name) == expected


def test_a_log_beside_the_file(tmp_path: Path) -> None:
    """The access log's path is relative to the file's folder, as every path."""
    (tmp_path / "f.ini").write_text(f"[sorryd]\naccess_log = a.log\n{GOOD}")
    assert config.load(str(tmp_path / "f.ini")).access_log == str(tmp_path / "a.log")


def test_a_redirect() -> None:
    """A site with a tls listener may send visitors there."""
    text = GOOD.replace(":80", ":80, 127.0.0.1:443 tls") + "certificate = self-signed\n"
    assert load(f"{text}redirect_https = yes").sites[0].redirect_https


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
        ("rewrite_location = no", "rewrite_location", False),
        ("rewrite_location = yes", "rewrite_location", True),
        ("redirect_https = no", "redirect_https", False),
        ("sorry_mode = here", "name", "a"),
        ("read_only = no", "name", "a"),
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
    """Every key that the shipped file teaches in a comment is one that is served, and taken so.

    But for files and groups that are not there. It teaches all of what is said in maintenance.
    """
    text = SHIPPED.read_text(encoding="utf-8")
    taught = re.findall(r"^; (\w+) +=", text, re.MULTILINE)
    assert len(taught) > 25
    assert {*taught} <= {*DAEMON, *SITE}
    spoken = ("sorry_", "bypass_", "exempt", "hook", "read_only", "down_limit", "announce")
    assert {key for key in (*DAEMON, *SITE) if key.startswith(spoken)} <= {*taught}
    for key in taught:
        text = re.sub(rf"^{key} +=.*\n", "", text, flags=re.MULTILINE)
    told = faults_of(re.sub(r"^( *); (\w+ +=|http|unix)", r"\1\2", text, flags=re.MULTILINE))
    missing = (
        "cannot be read: No such file or directory",
        "this machine knows no such group",
        "there is no such folder",
        "there is no such program",
    )
    assert [fault for fault in told if not fault.endswith(missing)] == []


def faults_of(text: str) -> list[str]:
    """What is wrong with a text in the place of the shipped file."""
    try:
        config.build(ini.parse(str(SHIPPED), text.encode()))
    except config.ConfigError as error:
        return [fault.text for fault in error.faults]
    return []


def test_the_shipped_defaults() -> None:
    """What the shipped file calls a default in a comment is the default."""
    text = SHIPPED.read_text(encoding="utf-8")
    _, _, defaults = text.partition("These are the defaults.")
    lines = re.findall(r"^; (\w+ = \w+)", defaults, re.MULTILINE)
    assert len(lines) > 5
    assert site("\n".join(lines)) == site("")
