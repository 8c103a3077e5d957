"""The hosts that a site answers to."""

import pytest
from tests.configs import GOOD, faults, site


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop.example.com", ("shop.example.com",)),
        ("Shop.Example.COM", ("shop.example.com",)),
        ("*.shop.example.com", ("*.shop.example.com",)),
        ("a.example, *.a.example,", ("a.example", "*.a.example")),
        ("\n  a.example\n  b.example", ("a.example", "b.example")),
        ("localhost", ("localhost",)),
        ("app_1.internal", ("app_1.internal",)),
        ("xn--gre-6ka8i.example", ("xn--gre-6ka8i.example",)),
        ("größe.example", ("xn--gre-6ka8i.example",)),
        ("GRÖSSE.example", ("xn--grsse-kua.example",)),
        ("*.größe.example", ("*.xn--gre-6ka8i.example",)),
        ("保守.example。jp", ("xn--ruq57z.example.jp",)),
        ("10.0.0.1", ("10.0.0.1",)),
        ("::1", ("[::1]",)),
        ("[2001:DB8:0::1]", ("[2001:db8::1]",)),
        ("[10.0.0.1]", ("10.0.0.1",)),
    ],
)
def test_hosts(text: str, expected: tuple[str, ...]) -> None:
    """Hosts come out as visitors send them: lower case, ASCII, IPv6 in brackets."""
    assert site(f"hosts = {text}").hosts == expected


def test_any_host() -> None:
    """Without hosts, or with none said, a site answers to any."""
    assert site("").hosts == site("hosts = ; any").hosts == ()


NAME = "not a host's name or address"
STAR = "a * may only stand at the beginning, as in *.example.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", "*: to answer to any host, leave hosts out"),
        ("*.", f"*.: {NAME}"),
        ("*.*.example", f"*.*.example: {STAR}"),
        ("a.*.example", f"a.*.example: {STAR}"),
        ("*example.com", f"*example.com: {STAR}"),
        ("*.10.0.0.1", "*.10.0.0.1: no * before an address"),
        ("a.example:80", "a.example:80: without a port"),
        ("10.0.0.1:80", "10.0.0.1:80: without a port"),
        ("[::1]:80", "[::1]:80: without a port"),
        ("a.example.", "a.example.: without the dot at its end"),
        ("http://a.example", "http://a.example: only the host, such as shop.example.com"),
        ("a.example/app", "a.example/app: only the host, such as shop.example.com"),
        ("a.example b.example",
         "a.example b.example: hosts stand with commas between them, or each on its line"),
        ("a..example", f"a..example: {NAME}"),
        (".example", f".example: {NAME}"),
        ("-a.example", f"-a.example: {NAME}"),
        ("a!b.example", f"a!b.example: {NAME}"),
        ("a" * 64 + ".example", f"{'a' * 57}...: {NAME}"),
        ("10.0.0.256", f"10.0.0.256: {NAME}"),
        ("ö..example", f"ö..example: {NAME}"),
        ("ö!.example", f"ö!.example: {NAME}"),
    ],
)  # fmt: skip
def test_bad_hosts(text: str, expected: str) -> None:
    """What is no host is told with what would be one."""
    assert faults(f"{GOOD}hosts = {text}") == [f"4: [site a] hosts: {expected}"]


def test_a_host_twice() -> None:
    """The same host twice in a site is told with the line of the first."""
    assert faults(f"{GOOD}hosts = a.example\n  b.example, A.example") == [
        "5: [site a] hosts: a.example: is already at line 4"
    ]
