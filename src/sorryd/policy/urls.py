"""Under which URLs visitors reach a site, as far as its configuration tells. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from sorryd.model import Listen, Site

_USUAL = {"https": 443, "http": 80}


def site_urls(site: Site) -> tuple[str, ...]:
    """Schemes, hosts and ports without a path: by the site's hosts, else by the addresses.

    https first, and no http where that is redirected. A listener of which others alone know how
    it is reached, by the PROXY protocol, a UNIX socket or a port that the system chose, tells
    none.
    """
    known = [one for one in site.listen if one.port and not (one.proxy or one.path)]
    secure = [url for one in known if one.tls for url in _of(site, one, "https")]
    plain = [url for one in known if not one.tls for url in _of(site, one, "http")]
    if secure and site.redirect_https:
        plain = []
    return tuple(dict.fromkeys((*secure, *plain)))


def _of(site: Site, listen: Listen, scheme: str) -> Iterator[str]:
    port = "" if listen.port == _USUAL[scheme] else f":{listen.port}"
    hosts = [host for host in site.hosts if not host.startswith("*.")]
    if not site.hosts:
        hosts = [] if ipaddress.ip_address(listen.host).is_unspecified else [_literal(listen.host)]
    return (f"{scheme}://{host}{port}" for host in hosts)


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host
