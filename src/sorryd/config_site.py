"""One ``[site NAME]`` of sorryd.ini into a `Site`."""

from __future__ import annotations

import os
from typing import Final

from sorryd import config_tls as pem
from sorryd import config_values as values
from sorryd.config_keys import SITE, SITE_LATER, Keys
from sorryd.config_members import member
from sorryd.config_values import BadValue
from sorryd.model import Certificate, Listen, Member, Site, Timeouts, Value
from sorryd.policy.apology import PageFault, compile_page, default_page_path

SELF_SIGNED: Final = "self-signed"  # the word for a certificate that sorryd makes
PAGE: Final = "maintenance.html"  # beside sorryd.ini; else the one that comes with sorryd


class Address(Value, frozen=True):
    """A listener, and where it is written: for the comparison of all sites' listeners."""

    listen: Listen
    line: int
    keys: Keys


def site(name: str, keys: Keys, state: str, zone: str, addresses: list[Address]) -> Site:
    """The site that the keys tell; faults are noted there, and bad values stand in as default.

    `state` is the path of the journal and `zone` the daemon's. The site's listeners are
    added to `addresses`.
    """
    keys.refuse_others(SITE, SITE_LATER)
    _check_served(keys)
    listeners = keys.items("listen", values.listen)
    addresses += (Address(listen=at, line=line, keys=keys) for line, at in listeners)
    for key in ("listen", "members"):
        if not keys.has(key):
            keys.fault(key, "is missing")
    page, template = _page(keys)
    return Site(
        name=name,
        listen=tuple(listen for _, listen in listeners),
        members=_members(keys),
        timezone=keys.one("timezone", values.zone, zone),
        sorry_page=page,
        sorry_template=template,
        certificates=_certificates(name, keys, state, listeners),
        tls_min=keys.one("tls_min", values.one_of("1.2", "1.3"), "1.2"),
        preserve_host=keys.one("preserve_host", values.truth, True),
        timeouts=_timeouts(keys),
        max_header_bytes=keys.one("max_header_bytes", values.size(1024, 16 * 2**20), 32768),
        max_body_bytes=keys.one("max_body_bytes", values.size(0, values.LARGEST_SIZE), 0),
        max_connections=keys.one("max_connections", values.whole(1, 10_000_000), 10000),
        sorry_status=keys.one("sorry_status", values.whole(400, 599), 503),
        retry_after=keys.one("retry_after", values.duration(1.0), 30.0),
        drain=keys.one("drain", values.duration(0.0), 30.0),
        announce=keys.one("announce", values.duration(0.0), 86400.0),
    )


def _check_served(keys: Keys) -> None:
    """Note the values that are known and not served yet."""
    keys.one("balance", values.word("round_robin", "least_conn", "hash", "sticky"), "")
    keys.one("sorry_mode", values.word("here", "redirect", "fetch"), "")
    for key in ("rewrite_location", "redirect_https", "read_only"):
        keys.one(key, values.only_no, False)


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
    )


def _members(keys: Keys) -> tuple[Member, ...]:
    retry = keys.one("retry", values.duration(0.0, bare=True), 5.0)
    found = keys.lines("members", lambda text: member(text, retry, keys.absolute))
    lines: dict[tuple[bool, str, int], int] = {}
    for line, one in found:
        server = (one.tls is not None, one.host.lower(), one.port)
        if server in lines:
            keys.fault("members", f"{one.url}: is already at line {lines[server]}", line)
        lines.setdefault(server, line)
    if found and all(one.standby for _, one in found):
        keys.fault("members", "at least one member must not be standby")
    return tuple(one for _, one in found)


def _certificates(
    name: str, keys: Keys, state: str, listeners: tuple[tuple[int, Listen], ...]
) -> tuple[Certificate, ...]:
    """What the site shows; one of our own has its paths already, and is made at the start."""
    needs = next((line for line, listen in listeners if listen.tls), None)
    if needs is not None and not keys.has("certificate"):
        keys.fault("listen", "tls needs a certificate (a file, or self-signed)", needs)
    own = os.path.join(os.path.dirname(state), f"{SELF_SIGNED}-{name}")
    chain = keys.one("certificate", lambda text: _chain(keys, text), None)
    key = keys.one("private_key", lambda text: _key(keys, text), None)
    if keys.has("private_key") and not keys.has("certificate"):
        keys.fault("private_key", "there is no certificate for it")
    if chain is None or (key is None and keys.has("private_key")):
        return ()
    if not chain.certificates:
        if key is not None:
            keys.fault("private_key", "a self-signed certificate has its own")
        return (Certificate(chain=f"{own}.pem", key=f"{own}.key", self_signed=True),)
    return (_pair(keys, chain, key),)


def _pair(keys: Keys, chain: pem.Chain, key: pem.Key | None) -> Certificate:
    """A certificate and its key, which is in the same file where none is given."""
    try:
        pem.check_pair(chain, key or _key_of_chain(chain))
    except BadValue as bad:
        keys.fault("certificate" if key is None else "private_key", str(bad))
    return Certificate(chain=chain.path, key=None if key is None else key.path)


def _chain(keys: Keys, text: str) -> pem.Chain:
    """The certificates of a file; none for the word self-signed."""
    if text == SELF_SIGNED:
        return pem.Chain(path="")
    return pem.chain(keys.absolute(text))


def _key(keys: Keys, text: str) -> pem.Key:
    return pem.private_key(keys.absolute(text))


def _key_of_chain(chain: pem.Chain) -> pem.Key:
    try:
        return pem.private_key(chain.path)
    except BadValue as bad:
        raise BadValue(f"{bad} (is it in another file? name that as private_key)") from None


def _page(keys: Keys) -> tuple[str, str]:
    """The path and the source of the page."""
    if keys.has("sorry_page"):
        return keys.one("sorry_page", lambda text: _template(keys.absolute(text)), ("", ""))
    beside = keys.absolute(PAGE)
    try:
        return _template(beside if os.path.exists(beside) else str(default_page_path()))
    except BadValue as bad:
        for text in bad.texts:
            keys.fault("sorry_page", text)
        return "", ""


def _template(path: str) -> tuple[str, str]:
    if os.path.isdir(path):
        raise BadValue(f"{path}: a folder is not supported yet")
    try:
        source = values.file_bytes(path).decode("utf-8-sig")
        compile_page(source)
    except UnicodeDecodeError as error:
        raise BadValue(f"{path}: not UTF-8 at byte {error.start}") from None
    except PageFault as fault:
        raise BadValue(f"{path}: {fault}") from None
    return path, source
