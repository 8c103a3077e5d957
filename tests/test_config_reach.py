"""Sites side by side: addresses that they may share, and those that they may not."""

import pytest
from tests.configs import faults, load

SHARED = "[site {name}]\nlisten = {listen}\nmembers = http://{name}\nhosts = {hosts}\n"


def sites(*rows: tuple[str, str], more: str = "") -> str:
    """A file of sites a, b, ... with these listeners and hosts; each site has five lines."""
    return "".join(
        SHARED.format(name=name, listen=listen, hosts=hosts) + f"{more}\n"
        for name, (listen, hosts) in zip("abcd", rows, strict=False)
    )


TLS = "certificate = self-signed"
PROXIES = "trusted_proxies = 0.0.0.0/0"


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        pytest.param(sites(("127.0.0.1:80", "a.example"), ("127.0.0.1:80", "b.example")),
                     True, id="other-hosts"),
        pytest.param(sites(("127.0.0.1:80", ""), ("127.0.0.1:80", "b.example")),
                     True, id="first-is-for-any"),
        pytest.param(sites(("127.0.0.1:80", "*.example"), ("127.0.0.1:80", "b.example")),
                     True, id="wildcard-beside-name"),
        pytest.param(sites(("[::1]:80", "a.example"), ("[0::1]:80", "b.example")),
                     True, id="other-spelling"),
        pytest.param(sites(("unix:/a", "a.example"), ("unix:/x/../a", "b.example")),
                     True, id="socket"),
        pytest.param(sites(("systemd:web", "a.example"), ("systemd:web", "b.example")),
                     True, id="name"),
        pytest.param(sites(("127.0.0.1:443 tls", "a.example"), ("127.0.0.1:443 tls", "b.example"),
                           more=TLS), True, id="tls"),
        pytest.param(sites(("127.0.0.1:80 proxy", "a.example"), ("127.0.0.1:80 proxy", "b.example"),
                           more=PROXIES), True, id="proxy"),
        pytest.param(sites(("127.0.0.1:80", "a.example"), ("127.0.0.1:81", "a.example")),
                     False, id="same-host-other-port"),
        pytest.param(sites(("127.0.0.1:0", ""), ("127.0.0.1:0", "")), False, id="port-0"),
        pytest.param(sites(("127.0.0.1:0", ""), ("0.0.0.0:0", "")), False, id="port-0-covered"),
        pytest.param(sites(("systemd:web", ""), ("127.0.0.1:0", "")), False, id="port-0-and-name"),
        pytest.param(sites(("unix:/a", ""), ("0.0.0.0:0", "")), False, id="any-0-and-socket"),
        pytest.param(sites(("systemd:web", ""), ("0.0.0.0:0", "")), False, id="any-0-and-name"),
        pytest.param(sites(("0.0.0.0:80", ""), ("[::]:80", "")), False, id="families"),
        pytest.param(sites(("unix:/a", ""), ("unix:/b", "")), False, id="sockets"),
    ],
)  # fmt: skip
def test_sites_side_by_side(text: str, shared: bool) -> None:
    """Sites may share an address if their hosts differ; elsewhere they need none."""
    first, second = load(text).sites
    assert (first.listen == second.listen and bool(second.hosts)) is shared


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(sites(("127.0.0.1:80", "x.example"), ("127.0.0.1:80", "y.example, X.example")),
                     ["9: [site b] hosts: x.example is a host of [site a] too (line 4), "
                      "at one address"], id="host"),
        pytest.param(sites(("[::1]:80", "*.example"), ("[::1]:80", "*.EXAMPLE")),
                     ["9: [site b] hosts: *.example is a host of [site a] too (line 4), "
                      "at one address"], id="wildcard"),
        pytest.param(sites(("127.0.0.1:80, 127.0.0.1:81", "x.example"),
                           ("127.0.0.1:80, 127.0.0.1:81", "x.example")),
                     ["9: [site b] hosts: x.example is a host of [site a] too (line 4), "
                      "at one address"], id="host-at-two-addresses"),
        pytest.param(sites(("127.0.0.1:80", "x.example"), ("127.0.0.1:80", "y.example"),
                           ("127.0.0.1:80", "x.example, y.example")),
                     ["14: [site c] hosts: x.example is a host of [site a] too (line 4), "
                      "at one address",
                      "14: [site c] hosts: y.example is a host of [site b] too (line 9), "
                      "at one address"], id="three-sites"),
        pytest.param(sites(("127.0.0.1:80", ""), ("127.0.0.1:80", "")),
                     ["7: [site b] listen: 127.0.0.1:80: [site a] listens there too (line 2), "
                      "and neither has hosts"], id="neither-has-hosts"),
        pytest.param(sites(("127.0.0.1:80", ""), ("127.0.0.1:80", "x.example"),
                           ("127.0.0.1:80", "")),
                     ["12: [site c] listen: 127.0.0.1:80: [site a] listens there too (line 2), "
                      "and neither has hosts"], id="neither-of-three"),
        pytest.param(sites(("127.0.0.1:443", "a.example"), ("127.0.0.1:443 tls", "b.example"),
                           more=TLS),
                     ["7: [site b] listen: 127.0.0.1:443: sites at one address must agree in tls "
                      "and proxy ([site a] has 127.0.0.1:443, line 2)"], id="tls-differs"),
        pytest.param(sites(("unix:/a proxy", "a.example"), ("unix:/a", "b.example"),
                           more="trusted_proxies = unix"),
                     ["7: [site b] listen: unix:/a: sites at one address must agree in tls "
                      "and proxy ([site a] has unix:/a proxy, line 2)"], id="proxy-differs"),
        pytest.param(sites(("127.0.0.1:80 proxy", "a.example"), more=PROXIES)
                     + sites(("127.0.0.1:80 proxy", "b.example"),
                             more="trusted_proxies = 10.0.0.0/8").replace("[site a]", "[site b]"),
                     ["7: [site b] listen: 127.0.0.1:80: sites at one address with proxy must "
                      "have the same trusted_proxies (as [site a], line 2)"],
                     id="trust-differs"),
        pytest.param(sites(("\n  [::1]:80\n  [0::1]:80", "")),
                     ["4: [site a] listen: [::1]:80 is already listened at ([::1]:80, line 3)"],
                     id="twice-in-a-site"),
        pytest.param(sites(("127.0.0.1:443, 127.0.0.1:443 tls", ""), more=TLS),
                     ["2: [site a] listen: 127.0.0.1:443 is already listened at "
                      "(127.0.0.1:443, line 2)"], id="twice-in-a-site-with-tls"),
        pytest.param(sites(("unix:/a, unix:/a", "")),
                     ["2: [site a] listen: unix:/a is already listened at (unix:/a, line 2)"],
                     id="socket-twice"),
        pytest.param(sites(("systemd:web, systemd:web", "")),
                     ["2: [site a] listen: systemd:web is already listened at "
                      "(systemd:web, line 2)"], id="name-twice"),
        pytest.param(sites(("systemd:web tls", "a.example"), ("systemd:web", "b.example"),
                           more=TLS),
                     ["7: [site b] listen: systemd:web: sites at one address must agree in tls "
                      "and proxy ([site a] has systemd:web tls, line 2)"], id="name-tls-differs"),
        pytest.param(sites(("0.0.0.0:80, 127.0.0.1:80, [::]:80", "")),
                     ["2: [site a] listen: 127.0.0.1:80 is already listened at "
                      "(0.0.0.0:80, line 2)"], id="covered"),
        pytest.param(sites(("127.0.0.1:80", "a.example"), ("0.0.0.0:80", "b.example")),
                     ["7: [site b] listen: 0.0.0.0:80 is already listened at "
                      "(127.0.0.1:80, line 2)"], id="covers"),
        pytest.param(sites(("[::1]:80", "a.example"), ("[::]:80", "b.example")),
                     ["7: [site b] listen: [::]:80 is already listened at ([::1]:80, line 2)"],
                     id="covers-v6"),
        pytest.param("[sorryd]\ncontrol = c.sock\n" + sites(("unix:c.sock", "")),
                     ["4: [site a] listen: unix:/etc/sorryd/c.sock is the control socket"],
                     id="control-socket"),
        pytest.param(sites(("127.0.0.1:80", "a.example"), ("127.0.0.1:80", "b.example:81")),
                     ["9: [site b] hosts: b.example:81: without a port"], id="bad-host-alone"),
        pytest.param(sites(("127.0.0.1:80", ""), ("127.0.0.1:80", "*")),
                     ["9: [site b] hosts: *: to answer to any host, leave hosts out"],
                     id="any-host-twice"),
    ],
)  # fmt: skip
def test_sites_in_each_others_way(text: str, expected: list[str]) -> None:
    """What two sites can't both have is told at the later one, with the line of the first."""
    assert faults(text) == expected


def test_many_sites() -> None:
    """A thousand sites at one address are compared in one go."""
    rows = [("127.0.0.1:80, [::1]:80", f"{number}.example") for number in range(1000)]
    text = "".join(
        SHARED.format(name=f"s{number}", listen=listen, hosts=hosts)
        for number, (listen, hosts) in enumerate(rows)
    )
    assert len(load(text).sites) == 1000
