"""Keys of sorryd.ini about what a site does while it is down: values in, or BadValue."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from typing import Final
from urllib.parse import urlsplit

from sorryd.config_addresses import host_and_port, host_name
from sorryd.config_keys import Keys
from sorryd.config_values import BadValue, file_bytes, shown
from sorryd.model import Assets, Exempt, SorryMode
from sorryd.policy.routing import Routes
from sorryd.policy.routing import host_name as host_name_of

LEAST_SECRET: Final = 16  # bytes
LARGEST_SECRET: Final = 4096

_METHOD = re.compile("[A-Z]+(?:-[A-Z]+)*")
_PATH = re.compile(r"/[!\"$-~]*")  # visible ASCII without #
_URL = re.compile("[!-~]+")


def http_url(text: str) -> str:
    """An absolute ``http://`` or ``https://`` URL, without a user and a fragment."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise BadValue(f"{shown(text)}: {error}") from None
    if parts.scheme not in ("http", "https") or not _URL.fullmatch(text):
        raise BadValue(f"{shown(text)}: must be a URL that starts with http:// or https://")
    if "@" in parts.netloc or "#" in text:
        raise BadValue(f"{shown(text)}: a URL without a user, a password and a #")
    host, port = host_and_port(parts.netloc)
    if not host or port == 0:
        raise BadValue(f"{shown(text)}: {'the port must be 1 to 65535' if host else 'no host'}")
    host_name(host)
    return text


def sorry_mode(text: str) -> tuple[SorryMode, str | None]:
    """``here``, ``redirect URL`` or ``fetch URL``."""
    word, _, url = text.partition(" ")
    try:
        mode = SorryMode(word)
    except ValueError:
        raise BadValue(f"{shown(text)}: must be here, redirect URL or fetch URL") from None
    if mode is SorryMode.HERE and url:
        raise BadValue(f"{shown(text)}: here takes no URL")
    if mode is SorryMode.HERE:
        return mode, None
    if not url:
        raise BadValue(f"{shown(text)}: a URL must follow {word}")
    return mode, http_url(url.strip())


def check_elsewhere(
    keys: Keys,
    url: str,
    hosts: Sequence[str],
    ports: Collection[int],
    own: Sequence[Assets],
    passes: Sequence[Exempt],
) -> None:
    """Note a fault where visitors who are sent to `url` would be sent there again, for ever.

    `hosts` and `ports` are those of the site. What it serves while it is down, or passes to its
    members, is no circle.
    """
    parts = urlsplit(url)
    name = host_name_of(parts.netloc.encode("ascii"))
    if Routes([hosts]).named(name) is None or parts.port not in (None, *ports):
        return
    path = parts.path or "/"
    prefixes = [prefix for one in own for prefix in one.prefixes]
    prefixes += [one.path for one in passes if one.path.endswith("/") and one.method is None]
    if not path.startswith(tuple(prefixes)) and path not in [one.path for one in passes]:
        text = f"{url}: is a page of this site, which sends visitors there again (is it exempt?)"
        keys.fault("sorry_mode", text)


def assets(keys: Keys) -> tuple[Assets, ...]:
    """The lines of ``sorry_assets``: ``/images/ /javascripts/ from FOLDER``."""
    return tuple(
        one for _, one in keys.lines("sorry_assets", lambda text: _assets(text, keys.absolute))
    )


def _assets(text: str, absolute: Callable[[str], str]) -> Assets:
    listed, word, folder = text.partition(" from ")
    prefixes = tuple(listed.split())
    if not word or not prefixes or not folder.strip():
        raise BadValue(f"{shown(text)}: say /images/ /javascripts/ from FOLDER")
    wrong = [f"{shown(one)}: must begin and end with /" for one in prefixes if not _is_folder(one)]
    path = absolute(folder.strip())
    if not os.path.isdir(path):
        wrong.append(f"{path}: there is no such folder")
    if wrong:
        raise BadValue(*wrong)
    return Assets(prefixes=prefixes, folder=path)


def _is_folder(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and path.endswith("/")


def sorry_file(path: str) -> str:
    """The path of a file that need not be there, in a folder that need not be there either."""
    if os.path.isdir(path):
        raise BadValue(f"{path}: is a folder")
    return path


def exempt(text: str) -> Exempt:
    """``PATH`` or ``METHOD PATH``; a path that ends with a slash is all below it."""
    method, space, path = text.partition(" ")
    if not space:
        method, path = "", text
    path = path.strip()
    if method and not _METHOD.fullmatch(method):
        raise BadValue(f"{shown(text)}: say PATH or METHOD PATH")
    if not _PATH.fullmatch(path) or "?" in path:
        raise BadValue(f"{shown(path)}: a path begins with / and has no ? and no #")
    return Exempt(path=path, method=method or None)


def secret(path: str) -> bytes:
    """What is in a file of `LEAST_SECRET` to `LARGEST_SECRET` bytes, without white space around."""
    data = file_bytes(path).strip()
    if not LEAST_SECRET <= len(data) <= LARGEST_SECRET:
        raise BadValue(f"{path}: must hold {LEAST_SECRET} to {LARGEST_SECRET} bytes")
    return data


def hook(text: str, absolute: Callable[[str], str]) -> str:
    """The path of a program, made absolute, or an http(s) URL."""
    if text.startswith(("http://", "https://")):
        return http_url(text)
    path = absolute(text)
    if not os.path.isfile(path):
        raise BadValue(f"{path}: there is no such program")
    if not os.access(path, os.X_OK):
        raise BadValue(f"{path}: is not executable")
    return path
