"""Listeners of a site, and those who may speak the PROXY protocol to them."""

import pytest
from tests.configs import GOOD, faults, load, site

from sorryd.model import Listen


def listeners(text: str, more: str = "") -> list[Listen]:
    """What a value of `listen` gives; all its listeners have what they need."""
    found = load(
        f"[site a]\nlisten = {text}\nmembers = http://10.0.0.1\ncertificate = self-signed\n"
        f"trusted_proxies = 0.0.0.0/0, ::/0, unix\n{more}"
    )
    return list(found.sites[0].listen)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0.0.0:80", [Listen(host="0.0.0.0", port=80)]),
        ("[::]:443", [Listen(host="::", port=443)]),
        ("[2001:DB8:0::1]:65535", [Listen(host="2001:db8::1", port=65535)]),
        ("10.0.0.1:443 tls", [Listen(host="10.0.0.1", port=443, tls=True)]),
        ("10.0.0.1:80 proxy", [Listen(host="10.0.0.1", port=80, proxy=True)]),
        ("10.0.0.1:443 tls proxy", [Listen(host="10.0.0.1", port=443, tls=True, proxy=True)]),
        ("10.0.0.1:443 proxy\ttls", [Listen(host="10.0.0.1", port=443, tls=True, proxy=True)]),
        ("unix:/run/a.sock", [Listen(host="", port=0, path="/run/a.sock")]),
        ("unix:///run/a.sock", [Listen(host="", port=0, path="/run/a.sock")]),
        ("unix://run/a.sock", [Listen(host="", port=0, path="/run/a.sock")]),
        ("unix:../a.sock", [Listen(host="", port=0, path="/etc/a.sock")]),
        ("unix:/a tls proxy", [Listen(host="", port=0, path="/a", tls=True, proxy=True)]),
        ("systemd:web tls", [Listen(host="", port=0, name="web", tls=True)]),
        (
            "127.0.0.1:0, 127.0.0.1:0 tls,",
            [Listen(host="127.0.0.1", port=0), Listen(host="127.0.0.1", port=0, tls=True)],
        ),
        (
            "\n  0.0.0.0:80\n  [::]:80",
            [Listen(host="0.0.0.0", port=80), Listen(host="::", port=80)],
        ),
        (
            "127.0.0.1:80, 127.0.0.2:80, unix:/a, unix:/b",
            [
                Listen(host="127.0.0.1", port=80),
                Listen(host="127.0.0.2", port=80),
                Listen(host="", port=0, path="/a"),
                Listen(host="", port=0, path="/b"),
            ],
        ),
    ],
)
def test_listeners(text: str, expected: list[Listen]) -> None:
    """Listeners stand on one line with commas, or on several; port 0 may repeat."""
    assert listeners(text) == expected


WORDS = "only the words tls and proxy may follow the address"
LONG = "unix:/" + "x" * 107


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", "80: an address and a port, such as 0.0.0.0:80 or [::]:80"),
        (":80", "nothing: not an IP address (for every address: 0.0.0.0 or [::])"),
        ("*:80", "*: not an IP address (for every address: 0.0.0.0 or [::])"),
        ("localhost:80", "localhost: not an IP address"),
        ("1.2.3.4:65536", "1.2.3.4:65536: the port must be 1 to 65535"),
        ("1.2.3.4:x", "1.2.3.4:x: the port must be 1 to 65535"),
        ("::1:80", "::1:80: an IPv6 address stands in brackets, [::1]:443"),
        ("[::1]80", "[::1]80: an IPv6 address stands as [::1]:443"),
        ("[::1", "[::1: an IPv6 address stands as [::1]:443"),
        ("[1.2.3.4]:80", "[1.2.3.4]: not an IPv6 address"),
        ("1.2.3.4:80 ssl", f"1.2.3.4:80 ssl: {WORDS}"),
        ("1.2.3.4:80 TLS", f"1.2.3.4:80 TLS: {WORDS}"),
        ("1.2.3.4:80 tls tls", "1.2.3.4:80 tls tls: a word is said twice"),
        ("1.2.3.4:80 1.2.3.5:80", f"1.2.3.4:80 1.2.3.5:80: {WORDS}"),
        ("unix:", "unix:: a path must follow unix:"),
        ("unix:/a b", f"unix:/a b: {WORDS}"),
        (LONG, f"{LONG[5:]}: longer than the 107 bytes that a UNIX socket may have"),
    ],
)
def test_bad_listeners(text: str, expected: str) -> None:
    """A listener that is none says what one looks like."""
    assert faults(f"[site a]\nlisten = {text}\nmembers = http://a") == [
        f"2: [site a] listen: {expected}"
    ]


# --- who is believed ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("10.0.0.7", ("10.0.0.7/32",)),
        ("10.0.0.0/255.255.0.0", ("10.0.0.0/16",)),
        ("FD00::/8, ::1", ("fd00::/8", "::1/128")),
        ("\n  unix\n  192.0.2.0/24", ("unix", "192.0.2.0/24")),
        ("10.0.0.7, 10.0.0.7/32", ("10.0.0.7/32",)),
        ("0.0.0.0/0", ("0.0.0.0/0",)),
    ],
)
def test_trusted_proxies(text: str, expected: tuple[str, ...]) -> None:
    """Networks come out in CIDR form, once each; the word unix stays."""
    assert site(f"trusted_proxies = {text}").trusted_proxies == expected


FORM = "must be a network such as 10.0.0.0/8, an address, or the word unix"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1/8", "10.0.0.1/8: is not a network; that would be 10.0.0.0/8"),
        ("fd00::1/64", "fd00::1/64: is not a network; that would be fd00::/64"),
        ("10.0.0.0/33", f"10.0.0.0/33: {FORM}"),
        ("10.0.0", f"10.0.0: {FORM}"),
        ("proxy.example.com", f"proxy.example.com: {FORM}"),
        ("10.0.0.1 10.0.0.2", f"10.0.0.1 10.0.0.2: {FORM}"),
        ("[::1]", f"[::1]: {FORM}"),
        ("unix:/run/a", f"unix:/run/a: {FORM}"),
        ("fe80::1%eth0", f"fe80::1%eth0: {FORM}"),
        ("*", f"*: {FORM}"),
    ],
)
def test_bad_trusted_proxies(text: str, expected: str) -> None:
    """What is no network is told, with the network that was meant."""
    assert faults(f"{GOOD}trusted_proxies = {text}") == [f"4: [site a] trusted_proxies: {expected}"]


def needs(whom: str) -> list[str]:
    """What is said of a listener to which nobody could connect."""
    text = f"proxy needs {whom} in trusted_proxies: nobody could connect"
    return [f"2: [site a] listen: {text}"]


@pytest.mark.parametrize(
    ("place", "trusted", "expected"),
    [
        ("127.0.0.1:80", "127.0.0.1", []),
        ("127.0.0.1:80", "", needs("IPv4 addresses")),
        ("127.0.0.1:80", "unix, ::1", needs("IPv4 addresses")),
        ("0.0.0.0:80", "unix, 10.0.0.0/8", []),
        ("[::]:80", "10.0.0.0/8", needs("IPv6 addresses")),
        ("[::]:80", "fd00::/8", []),
        ("unix:/a", "10.0.0.0/8", needs("the word unix")),
        ("unix:/a", "unix", []),
    ],
)
def test_a_proxy_listener_has_visitors(place: str, trusted: str, expected: list[str]) -> None:
    """A listener for the PROXY protocol is refused where nobody may speak it."""
    text = f"[site a]\nlisten = {place} proxy\nmembers = http://a\ntrusted_proxies = {trusted}\n"
    assert faults(text) == expected


def test_a_bad_network_is_told_alone() -> None:
    """Where trusted_proxies is wrong, the listener that needs it is not blamed too."""
    text = GOOD.replace(":80", ":80 proxy") + "trusted_proxies = 127.0.0.1/8"
    assert faults(text) == [
        "4: [site a] trusted_proxies: 127.0.0.1/8: is not a network; that would be 127.0.0.0/8"
    ]
