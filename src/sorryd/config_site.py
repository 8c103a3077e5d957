"""One ``[site NAME]`` of sorryd.ini into a `Site`."""

from __future__ import annotations

from sorryd import config_values as values
from sorryd.config_addresses import network
from sorryd.config_certificates import certificates
from sorryd.config_check import check
from sorryd.config_hosts import host
from sorryd.config_keys import SITE, Keys
from sorryd.config_listen import check_proxies, listen
from sorryd.config_members import members
from sorryd.config_page import pages
from sorryd.config_reach import Reach
from sorryd.config_sorry import (
    assets,
    check_elsewhere,
    exempt,
    hook,
    secret,
    sorry_file,
    sorry_mode,
)
from sorryd.model import Balance, Listen, Site, SorryMode, Timeouts


def site(name: str, keys: Keys, state: str, zone: str, workers: int, reaches: list[Reach]) -> Site:
    """The site that the keys tell; faults are noted there, and bad values stand in as default.

    `state` is the path of the journal, `zone` the daemon's, and `workers` how many edge
    processes share the site. Where the site is reached is added to `reaches`.
    """
    keys.refuse_others(SITE)
    for key in ("listen", "members"):
        if not keys.has(key):
            keys.fault(key, "is missing")
    listeners = keys.items("listen", lambda text: listen(text, keys.absolute))
    hosts = _hosts(keys)
    trusted = tuple(dict.fromkeys(each for _, each in keys.items("trusted_proxies", network)))
    check_proxies(keys, listeners, trusted)
    reaches.append(Reach(site=name, keys=keys, listeners=listeners, hosts=hosts, trusted=trusted))
    here: tuple[SorryMode, str | None] = (SorryMode.HERE, None)
    mode, url = keys.one("sorry_mode", sorry_mode, here)
    own_files = assets(keys)
    passes = tuple(dict.fromkeys(one for _, one in keys.items("exempt", exempt)))
    if mode is SorryMode.REDIRECT and url is not None:
        names, ports = [one for _, one in hosts], [one.port for _, one in listeners]
        check_elsewhere(keys, url, names, ports, own_files, passes)
    return Site(
        name=name,
        listen=tuple(one for _, one in listeners),
        members=members(keys, workers),
        timezone=keys.one("timezone", values.zone, zone),
        sorry_pages=pages(keys),
        hosts=tuple(one for _, one in hosts),
        certificates=certificates(name, keys, state, listeners),
        tls_min=keys.one("tls_min", values.one_of("1.2", "1.3"), "1.2"),
        balance=keys.one("balance", values.choice(Balance), Balance.ROUND_ROBIN),
        sticky_cookie=keys.one("sticky_cookie", values.cookie_name, "SRV"),
        check=keys.one("check", check, None),
        fail_on=_fail_on(keys),
        slow_start=keys.one("slow_start", values.duration(0.0), 0.0),
        max_queue=keys.one("max_queue", values.whole(0, 1_000_000), 1000),
        preserve_host=keys.one("preserve_host", values.truth, True),
        trusted_proxies=trusted,
        redirect_https=_redirect_https(keys, listeners),
        rewrite_location=keys.one("rewrite_location", values.truth, True),
        timeouts=_timeouts(keys),
        max_header_bytes=keys.one("max_header_bytes", values.size(1024, 16 * 2**20), 32768),
        max_body_bytes=keys.one("max_body_bytes", values.size(0, values.LARGEST_SIZE), 0),
        max_connections=keys.one("max_connections", values.whole(1, 10_000_000), 10000),
        sorry_status=keys.one("sorry_status", values.whole(400, 599), 503),
        retry_after=keys.one("retry_after", values.duration(1.0), 30.0),
        drain=keys.one("drain", values.duration(0.0), 30.0),
        announce=keys.one("announce", values.duration(0.0), 86400.0),
        sorry_mode=mode,
        sorry_url=url,
        sorry_assets=own_files,
        sorry_file=keys.one("sorry_file", lambda text: sorry_file(keys.absolute(text)), None),
        exempt=passes,
        bypass_networks=tuple(
            dict.fromkeys(each for _, each in keys.items("bypass_networks", network))
        ),
        bypass_secret=keys.one(
            "bypass_secret_file", lambda text: secret(keys.absolute(text)), None
        ),
        hook=keys.one("hook", lambda text: hook(text, keys.absolute), None),
        read_only=keys.one("read_only", values.truth, False),
    )


def _hosts(keys: Keys) -> tuple[tuple[int, str], ...]:
    hosts = keys.items("hosts", host)
    lines: dict[str, int] = {}
    for line, one in hosts:
        if one in lines:
            keys.fault("hosts", f"{one}: is already at line {lines[one]}", line)
        lines.setdefault(one, line)
    return hosts


def _fail_on(keys: Keys) -> tuple[int, ...]:
    ranges = keys.items("fail_on", values.statuses(400, 599))
    return tuple(sorted({code for _, (first, last) in ranges for code in range(first, last + 1)}))


def _redirect_https(keys: Keys, listeners: tuple[tuple[int, Listen], ...]) -> bool:
    redirects = keys.one("redirect_https", values.truth, False)
    # A trusted proxy may speak TLS for us, and say so.
    speaks_tls = keys.has("trusted_proxies") or any(one.tls for _, one in listeners)
    if redirects and keys.is_sound("listen") and not speaks_tls:
        keys.fault("redirect_https", "there is no tls among listen to send visitors to")
    return redirects


def _timeouts(keys: Keys) -> Timeouts:
    read = values.duration(0.001, bare=True)
    defaults = Timeouts()
    return Timeouts(
        connect=keys.one("timeout_connect", read, defaults.connect),
        header=keys.one("timeout_header", read, defaults.header),
        idle=keys.one("timeout_idle", read, defaults.idle),
        body=keys.one("timeout_body", read, defaults.body),
        stream=keys.one("timeout_stream", read, defaults.stream),
        answer=keys.one("timeout_answer", read, defaults.answer),
        tunnel=keys.one("timeout_tunnel", read, defaults.tunnel),
        queue=keys.one("timeout_queue", read, defaults.queue),
    )
