"""Words of the command line as parameters of a request."""

from __future__ import annotations

from collections.abc import Mapping

import click

from sorryd.ctl.client import Param


def site_and_url(member: str) -> tuple[str | None, str]:
    """``SITE/URL`` apart. A URL has a colon before its first slash, a site's name has none."""
    first, slash, rest = member.partition("/")
    return (first, rest) if slash and ":" not in first else (None, member)


def scope(paths: tuple[str, ...], members: tuple[str, ...], read_only: bool) -> Param:
    """What a window covers; None: all."""
    methods = ["unsafe"] if read_only else []
    if not (paths or members or methods):
        return None
    return {"paths": list(paths), "members": list(members), "methods": methods}


def members_site(site: Param, members: tuple[str, ...]) -> Param:
    """The site of a window: where it is left out, that of members that are said as SITE/URL."""
    named = {one for one, _ in map(site_and_url, members) if one is not None}
    if named - {site} and (site is not None or len(named) > 1):
        raise click.UsageError("--member is of another site.")
    return site if site is not None else next(iter(named), None)


def reasons(said: tuple[str, ...]) -> Param:
    """``LANG=TEXT``, any number of them, by language; None: none."""
    parts = [one.partition("=") for one in said]
    for (language, equals, _), one in zip(parts, said, strict=True):
        if not equals or not language.strip():
            raise click.UsageError(f"--reason-in {one}: say LANG=TEXT, such as ja=TEXT.")
    return {language.strip(): text for language, _, text in parts} or None


def at_most_one(given: Mapping[str, object], first: str, second: str) -> None:
    """Raise click.UsageError where both options are given."""
    if given[first] is not None and given[second] is not None:
        raise click.UsageError(f"--{first} and --{second} exclude each other.")


def exactly_one(given: Mapping[str, object], first: str, second: str) -> None:
    """Raise click.UsageError unless one of the two options is given."""
    at_most_one(given, first, second)
    if given[first] is None and given[second] is None:
        raise click.UsageError(f"One of --{first} and --{second} is needed.")
