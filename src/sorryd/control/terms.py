"""What a request says of a window beside its times, judged. Pure; nonsense is a ControlError."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sorryd.control.missing import no_member
from sorryd.control.spans import seconds_of
from sorryd.errors import ControlError, invalid_params
from sorryd.messages import Reasons, WindowSchedule
from sorryd.model import Config
from sorryd.policy.fields import TOKEN
from sorryd.window import UNSAFE, GiveUp, Saying, Scope

MOST_REASONS: Final = 20  # languages
MOST_PARTS: Final = 100  # of each kind in a scope
LONGEST_PATH: Final = 2000  # characters

_PATH = re.compile(r"/[^\x00-\x20\x7f?#]*")
_TOKEN = re.compile(TOKEN.decode("ascii"))
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")  # RFC 5646 §2.1, the shape of it


def wanted_reasons(reasons: Reasons | None) -> tuple[Saying, ...]:
    """The reasons in other languages, by their tags."""
    said = {language.lower(): text for language, text in (reasons or {}).items()}
    if reasons and len(said) < len(reasons):
        raise invalid_params("reasons: says a language twice", "reasons")
    if len(said) > MOST_REASONS:
        raise invalid_params(f"reasons: more than {MOST_REASONS} languages", "reasons")
    for language, text in said.items():
        if not _LANGUAGE.fullmatch(language):
            text = f"reasons: {language!r} is no language (say en, ja or pt-BR)"
            raise invalid_params(text, "reasons")
        if not text.strip():
            raise invalid_params(f"reasons: says nothing in {language}", "reasons")
    return tuple(Saying(language=language, text=said[language]) for language in sorted(said))


def wanted_patience(request: WindowSchedule) -> tuple[float | None, GiveUp]:
    """How long to wait for healthy members, in seconds, and what then."""
    if request.until_healthy is None:
        if request.give_up is not None:
            raise invalid_params("give_up: goes with until_healthy", "give_up")
        return None, GiveUp.STAY
    patience = seconds_of("until_healthy", request.until_healthy)
    if patience <= 0:
        raise invalid_params("until_healthy: must be longer than 0", "until_healthy")
    return patience, request.give_up or GiveUp.STAY


def wanted_scope(config: Config, site: str | None, scope: Scope) -> Scope:
    """What a window of `site` covers, its members by the names that the configuration has."""
    for name, parts in (
        ("paths", scope.paths),
        ("members", scope.members),
        ("methods", scope.methods),
    ):
        if len(parts) > MOST_PARTS:
            raise _fault(name, f"more than {MOST_PARTS}")
    if scope.members and (scope.paths or scope.methods):
        raise _fault("members", "go with neither paths nor methods: a member is out for all")
    for path in scope.paths:
        if not _PATH.fullmatch(path) or len(path) > LONGEST_PATH:
            raise _fault("paths", f"{path[:80]!r} is no path: it begins with /, and has no ? or #")
    for method in scope.methods:
        if method != UNSAFE and not _TOKEN.fullmatch(method):
            raise _fault("methods", f"{method[:80]!r} is no method, nor the word {UNSAFE}")
    return Scope(
        paths=_once(scope.paths),
        members=_once(url for one in scope.members for url in _members(config, site, one)),
        methods=_once(scope.methods),
    )


def _members(config: Config, site: str | None, wanted: str) -> list[str]:
    """The URLs that `wanted` means: one in a site; in every site, all that are spelled so."""
    bare = wanted if site is None else wanted.removeprefix(f"{site}/")
    found = [
        member.url
        for one in config.sites
        if site in (None, one.name)
        for member in one.members
        if member.url.rstrip("/") == bare.rstrip("/")
    ]
    if not found:
        why = no_member(wanted, config, site)
        raise ControlError(why.code, f"scope.members: {why}", "scope.members")
    return found


def _once(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parts))


def _fault(name: str, text: str) -> ControlError:
    return invalid_params(f"scope.{name}: {text}", f"scope.{name}")
