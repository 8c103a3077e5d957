"""sorryd.ini refused: everything that is wrong with it, each at its line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.configs import GOOD, faults, refusal

from sorryd import config
from sorryd.config import ConfigError
from sorryd.config_keys import DAEMON, SITE

PORT = "the port must be 1 to 65535"
DAEMON_BAD = [
    ("workers", "257", "257: must be auto, or a number, 0 to 256"),
    ("user", "nobody-here", "nobody-here: this machine knows no such user"),
    ("shutdown", "30", "30: a duration needs a unit (30s, 30m, 30h)"),
    ("retire", "0s", "0s: must be at least 1s"),
    ("admin", "8404", "8404: an address and a port, such as 127.0.0.1:8404"),
    ("workers", "-1", "-1: must be auto, or a number, 0 to 256"),
    ("down_limit", "1", "1: a duration needs a unit (1s, 1m, 1h)"),
    ("nameserver", "ns.example.com", "ns.example.com: not an IP address"),
    ("nameserver", "10.0.0.1:0", f"10.0.0.1:0: {PORT}"),
    ("nameserver", "10.0.0.1:x", f"10.0.0.1:x: {PORT}"),
    ("nameserver", "10.0.0.1, 10.0.0.2", "10.0.0.1, 10.0.0.2: not an IP address"),
    ("access_log", "/dev", "/dev: is a folder"),
    ("access_log", "logs/a", "/etc/sorryd/logs/a: there is no folder /etc/sorryd/logs"),
    ("access_log_format", "JSON", "JSON: must be combined or json (did you mean json?)"),
    ("access_log_format", "%h %u", "%h %u: must be combined or json"),
]
SITE_BAD = [
    ("sorry_mode", "there", "there: must be here, redirect URL or fetch URL"),
    ("sorry_mode", "here http://x", "here http://x: here takes no URL"),
    ("sorry_mode", "fetch", "fetch: a URL must follow fetch"),
    ("sorry_mode", "redirect ftp://x",
     "ftp://x: must be a URL that starts with http:// or https://"),
    ("sorry_mode", "fetch http://me:you@x/", "http://me:you@x/: a URL without a user, a password"
     " and a #"),
    ("sorry_assets", "/images/", "/images/: say /images/ /javascripts/ from FOLDER"),
    ("sorry_assets", "images/ from /", "images/: must begin and end with /"),
    ("sorry_assets", "/images/ from none", "/etc/sorryd/none: there is no such folder"),
    ("sorry_file", "/dev", "/dev: is a folder"),
    ("exempt", "healthz", "healthz: a path begins with / and has no ? and no #"),
    ("exempt", "/healthz?x", "/healthz?x: a path begins with / and has no ? and no #"),
    ("exempt", "get /healthz", "get /healthz: say PATH or METHOD PATH"),
    ("bypass_networks", "10.0.0.1/8", "10.0.0.1/8: is not a network; that would be 10.0.0.0/8"),
    ("bypass_secret_file", "/dev/null", "/dev/null: is not a file"),
    ("hook", "none", "/etc/sorryd/none: there is no such program"),
    ("hook", "https:///x", "https:///x: no host"),
    ("rewrite_location", "always", "always: say yes or no"),
    ("redirect_https", "308", "308: say yes or no"),
    ("redirect_https", "on", "there is no tls among listen to send visitors to"),
    ("read_only", "maybe", "maybe: say yes or no"),
    ("preserve_host", "2", "2: say yes or no"),
    ("tls_min", "1.0", "1.0: must be 1.2 or 1.3"),
    ("sorry_status", "399", "399: must be a whole number, 400 to 599"),
    ("sorry_status", "600", "600: must be a whole number, 400 to 599"),
    ("sorry_status", "\u0665\u0660\u0663", ": must be a whole number, 400 to 599"),
    ("max_connections", "0", "0: must be a whole number, 1 to 10000000"),
    ("max_body_bytes", "-1", "-1: must be a size in bytes, 0 to 4611686018427387904 (k, m, g)"),
    ("max_header_bytes", "1t", "1t: must be a size in bytes, 1024 to 16777216 (k, m, g)"),
    ("max_header_bytes", "17m", "17m: must be a size in bytes, 1024 to 16777216 (k, m, g)"),
    ("drain", "30", "30: a duration needs a unit (30s, 30m, 30h)"),
    ("drain", "-1s", "-1s: a duration cannot be negative"),
    ("announce", "soon", "soon: not a duration (say 90s, 15m, 2h, 1d or 1h30m)"),
    ("retry_after", "0s", "0s: must be at least 1s"),
    ("timeout_idle", "0", "0: must be at least 1ms"),
    ("timeout_tunnel", "1e9", "1e9: not a duration (say 90s, 15m, 2h, 1d or 1h30m)"),
    ("timezone", "Europe/Berln",
     "Europe/Berln: no time zone of that name is known (did you mean Europe/Berlin?)"),
    ("private_key", "k.pem", "k.pem: cannot be read: No such file or directory"),
    ("certificate", "c.pem", "c.pem: cannot be read: No such file or directory"),
    ("sorry_page", "p.html", "p.html: cannot be read: No such file or directory"),
    ("sorry_page", "/dev", "/dev: there is no maintenance.html in it"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "text"), DAEMON_BAD)
def test_a_bad_daemon_key(key: str, value: str, text: str) -> None:
    """A bad value is told; one that is not served yet is refused by name, never ignored."""
    assert faults(f"[sorryd]\n{key} = {value}\n{GOOD}") == [f"2: [sorryd] {key}: {text}"]


@pytest.mark.parametrize(("key", "value", "text"), SITE_BAD)
def test_a_bad_site_key(key: str, value: str, text: str) -> None:
    """A bad value is told with its key and line, and with what would be right."""
    found = faults(f"{GOOD}{key} = {value}")
    assert found[0].startswith(f"4: [site a] {key}: ")
    assert found[0].endswith(text)
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["1: there is no [site NAME]"], id="empty"),
        pytest.param("[sorryd]", ["1: there is no [site NAME]"], id="no-site"),
        pytest.param("[sorryd]\ncontrol_mode = 0999\n" + GOOD,
                     ["2: [sorryd] control_mode: 0999: must be octal permission bits such as 0660"],
                     id="mode-digits"),
        pytest.param("[sorryd]\ncontrol_mode = 7777\n" + GOOD,
                     ["2: [sorryd] control_mode: 7777: must be octal permission bits such as 0660"],
                     id="mode-bits"),
        pytest.param("[sorryd]\ncontrol_group = no-such-group\n" + GOOD,
                     ["2: [sorryd] control_group: no-such-group: "
                      "this machine knows no such group"], id="group"),
        pytest.param("[sorryd]\ncontrol = /" + "x" * 107 + "\n" + GOOD,
                     ["2: [sorryd] control: /" + "x" * 107 +
                      ": longer than the 107 bytes that a UNIX socket may have"],
                     id="socket-path"),
        pytest.param("[sorryd]\nstate = a\n  b\n" + GOOD,
                     ["3: [sorryd] state: takes one line (is this one indented?)"],
                     id="two-lines"),
        pytest.param(GOOD + "check =\n  GET /a\n  GET /b",
                     ["6: [site a] check: takes one line (is this one indented?)"],
                     id="two-checks"),
        pytest.param("[sorryd]\ncontol = x\n" + GOOD,
                     ["2: [sorryd] contol: unknown key (did you mean control?)"], id="misspelt"),
        pytest.param("[sorryd]\ndrain = 1s\n" + GOOD,
                     ["2: [sorryd] drain: unknown key here (it belongs in [site NAME])"],
                     id="key-of-a-site"),
        pytest.param(GOOD + "state = x",
                     ["4: [site a] state: unknown key here (it belongs in [sorryd])"],
                     id="key-of-the-daemon"),
        pytest.param(GOOD + "qqq = x", ["4: [site a] qqq: unknown key"], id="unknown-key"),
        pytest.param("[Sorryd]\nx = 1\n" + GOOD,
                     ["1: [Sorryd] unknown section (did you mean sorryd?); "
                      "there are [sorryd] and [site NAME]"], id="unknown-section"),
        pytest.param("[sorryd x]\n" + GOOD,
                     ["1: [sorryd x] unknown section (did you mean sorryd?); "
                      "there are [sorryd] and [site NAME]"], id="named-daemon"),
        pytest.param("[site]\n" + GOOD, ["1: [site] a site needs a name: [site NAME]"],
                     id="nameless-site"),
        pytest.param("[site a b]\n" + GOOD,
                     ["1: [site a b] a site's name is made of letters, digits, and . _ -"],
                     id="bad-site-name"),
        pytest.param("\n[site a]\n",
                     ["2: [site a] listen: is missing", "2: [site a] members: is missing"],
                     id="empty-site"),
        pytest.param("[site a]\n\nlisten =\nmembers =\n",
                     ["3: [site a] listen: is missing", "4: [site a] members: is missing"],
                     id="empty-values"),
        pytest.param(GOOD.replace(":80", ":443 tls"),
                     ["2: [site a] listen: tls needs a certificate (a file, or self-signed)"],
                     id="tls-without-certificate"),
        pytest.param(GOOD.replace("127", "0127") + "redirect_https = yes",
                     ["2: [site a] listen: 0127.0.0.1: not an IP address"],
                     id="redirect-to-a-bad-listener"),
        pytest.param("junk\n[site a]\nlisten = x\nmembers = y\n[b]\ndrain = z",
                     ["1: neither a [section] nor a key = value: junk",
                      "3: [site a] listen: x: an address and a port, such as 0.0.0.0:80 or "
                      "[::]:80",
                      "4: [site a] members: y: a member starts with http://, https:// or "
                      "unix:",
                      "5: [b] unknown section; there are [sorryd] and [site NAME]"],
                     id="all-at-once"),
    ],
)  # fmt: skip
def test_faults(text: str, expected: list[str]) -> None:
    """Every fault of a file is told at once, in the order of its lines."""
    assert faults(text) == expected


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A configuration that cannot be read is refused like a bad one."""
    with pytest.raises(ConfigError) as caught:
        config.load(str(tmp_path / "none.ini"))
    assert str(caught.value) == f"{tmp_path}/none.ini:1: cannot be read: No such file or directory"


# --- for every file -----------------------------------------------------------------------

_VALUE = st.one_of(
    st.text("0123456789smhdkg.:-/[]=,; \u3000yesnoabc%@", max_size=12),
    st.sampled_from(
        [
            "http://a:1 weight=3",
            "https://b verify=no",
            "127.0.0.1:0 tls",
            "unix:/a",
            "unix:a:/b proxy",
            "GET / expect=2",
            "tcp rise=2",
            "*.a",
            "10.0.0.1/8",
            "500-502",
            "a\n  b",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
_ENTRY = st.builds("{} = {}".format, st.sampled_from([*DAEMON, *SITE, "drian", ""]), _VALUE)
_SECTION = st.sampled_from(["[sorryd]", "[site a]", "[site b]", "[site]", "[x", "junk", "  deep"])


@given(st.lists(_ENTRY | _ENTRY | _SECTION, max_size=25))
def test_any_file(lines: list[str]) -> None:
    """Whatever the file, the answer is a Config, or faults at lines that it has, in order."""
    text = "[site a]\n" + "\n".join(lines)
    numbers = [fault.line for fault in refusal(text)]
    assert numbers == sorted(numbers)
    assert all(1 <= number <= text.count("\n") + 1 for number in numbers)
    assert not any("\n" in str(fault) for fault in refusal(text))


@settings(max_examples=50)
@given(st.lists(st.sampled_from(SITE_BAD), unique_by=lambda row: row[0], max_size=8), st.data())
def test_each_fault_has_its_line(rows: list[tuple[str, str, str]], data: st.DataObject) -> None:
    """However many lines are bad, each is told with its own number."""
    gaps = [data.draw(st.integers(0, 3)) for _ in rows]
    text, expected = GOOD, []
    for (key, value, _), gap in zip(rows, gaps, strict=True):
        text += "; gap\n" * gap + f"{key} = {value}\n"
        expected.append((text.count("\n"), key))
    found = [(fault.line, fault.key) for fault in refusal(text)]
    assert list(dict.fromkeys(found)) == expected
