"""sorryctl's commands: from the command line to one question, from its answer to a page."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import click

from sorryd.ctl.client import Param
from sorryd.ctl.options import (
    Command,
    Group,
    choices,
    global_options,
    put,
    put_json,
    result_of,
    senseless,
    warn,
)
from sorryd.ctl.parameters import at_most_one, exactly_one, scope, site_and_url

_DOWN = frozenset({"draining", "down", "verifying"})


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@global_options(hidden=False)
def cli() -> None:
    """Plan, start and end maintenance of sites behind sorryd.

    SITE left out means every site. MEMBER is its URL, or SITE/URL. D is 90s, 15m, 2h, 1d or
    1h30m. T is 02:00 (the next one), "tomorrow 02:00", "2026-11-22 02:00", RFC 3339, now or +90m.
    """


def command(name: str, *aliases: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of a function, under `name` and its aliases."""

    def decorate(function: Callable[..., None]) -> click.Command:
        made = click.command(name)(global_options(hidden=True)(function))
        for one in (name, *aliases):
            cli.add_command(made, one)
        return made

    return decorate


site_argument = click.argument("site", required=False)
id_argument = click.argument("window_id", metavar="ID")
member_argument = click.argument("member")


def _option(name: str, metavar: str, text: str, **more: Any) -> Callable[[Command], Command]:
    return click.option(f"--{name}", metavar=metavar, help=text, **more)


def _later(name: str, metavar: str, text: str, **more: Any) -> Callable[[Command], Command]:
    """An option that the daemon does not serve yet, and refuses by name: not in the help."""
    return _option(name, metavar, text, hidden=True, **more)


@command("status")
@site_argument
def status(site: str | None) -> None:
    """Phase of each site, why and until when; members; next window."""
    result = result_of("status", {"site": site})
    put(result, lambda: _show().status_page(result))


@command("down", "disable")
@site_argument
@_option("reason", "TEXT", "Shown to visitors. Also: $REASON.", envvar="REASON")
@_option("until", "T", "When it ends. Also: $UNTIL, which may be any words.")
@_option("for", "D", "How long it takes.")
@_option("drain", "D", "Grace for requests in flight, in place of the site's.")
def down(**given: Param) -> None:
    """Maintenance now; open-ended unless told when it ends."""
    at_most_one(given, "until", "for")
    if given["until"] is None and given["for"] is None:
        given["until_text"] = os.environ.get("UNTIL") or None
    result = result_of("site.down", given)
    put(result, lambda: _show().sites_page(result))
    warn(*(site["window"] for site in result if site["window"] is not None))


@command("up", "enable")
@site_argument
def up(site: str | None) -> None:
    """Back in service: ends a down, and an open window early."""
    result = result_of("site.up", {"site": site})
    put(result, lambda: _show().sites_page(result))


@command("is-down")
@site_argument
def is_down(site: str | None) -> None:
    """Exit 0 if down, 1 if not; prints nothing.

    Without SITE: if every site is down.
    """
    result = result_of("status", {"site": site})
    if choices().json:
        put_json(result)
    try:
        phases = [one["phase"] for one in result["sites"]]
    except (KeyError, TypeError):
        raise senseless() from None
    click.get_current_context().exit(0 if phases and _DOWN.issuperset(phases) else 1)


@command("schedule")
@site_argument
@_option("from", "T", "When it begins.", required=True)
@_option("until", "T", "When it ends.")
@_option("for", "D", "How long it takes.")
@_option("reason", "TEXT", "Shown to visitors.")
@_later("every", "RRULE", "Again and again: daily, weekly, monthly, or an RRULE (RFC 5545).")
@_option("timezone", "ZONE", "Where times without a zone are, in place of the site's.")
@_option("drain", "D", "Grace for requests in flight, in place of the site's.")
@_later("until-healthy", "D", "At the end wait so long for healthy members.")
@_later("give-up", "WHAT", "And then: open, or stay down.", type=click.Choice(["open", "stay"]))
@_option("id", "NAME", "Its name; the same name again changes it.")
@_later("path", "P", "Only paths that begin so. May be repeated.", multiple=True)
@_later("member", "M", "Only this member. May be repeated.", multiple=True)
@click.option("--read-only", is_flag=True, hidden=True, help="Refuse only methods with effects.")
@click.option("--dry-run", is_flag=True, help="Say what would be, and change nothing.")
def schedule(
    path: tuple[str, ...], member: tuple[str, ...], read_only: bool, dry_run: bool, **given: Param
) -> None:
    """Plan a window, and print its id.

    Example: sorryctl schedule shop --from "tomorrow 02:00" --for 3h --reason "new database"
    """
    exactly_one(given, "until", "for")
    given |= {"dry_run": dry_run or None, "scope": scope(path, member, read_only)}
    result = result_of("window.schedule", given)
    if dry_run:
        put(result, lambda: _show().window_page(result))
        return
    put(result, lambda: _show().id_page(result))
    warn(result)


@command("windows")
@site_argument
@click.option("--past", is_flag=True, help="Those that are over, too.")
def windows(site: str | None, past: bool) -> None:
    """Windows that are open or to come."""
    result = result_of("window.list", {"site": site, "past": past or None})
    put(result, lambda: _show().windows_page(result))


@command("show")
@id_argument
def show_window(window_id: str) -> None:
    """One window."""
    _window("window.get", {"id": window_id})


@command("extend")
@id_argument
@_option("until", "T", "The new end.")
@_option("by", "D", "So much longer.")
def extend(window_id: str, **given: Param) -> None:
    """Move the end of a window that is open or to come."""
    exactly_one(given, "until", "by")
    _window("window.extend", {"id": window_id, **given})


@command("end")
@id_argument
def end(window_id: str) -> None:
    """End an open window now."""
    _window("window.end", {"id": window_id})


@command("cancel")
@id_argument
def cancel(window_id: str) -> None:
    """Take back a window that is to come."""
    _window("window.cancel", {"id": window_id})


@command("members")
@site_argument
def members(site: str | None) -> None:
    """Members with weight, state, health and requests in flight."""
    result = result_of("status", {"site": site})
    put(result, lambda: _show().members_page(result))


@command("ready")
@member_argument
def ready(member: str) -> None:
    """Let a member take requests."""
    _set_member(member, {"state": "ready"})


@command("drain")
@member_argument
def drain(member: str) -> None:
    """Give a member no new visitors; those it has may finish."""
    _set_member(member, {"state": "drain"})


@command("maint")
@member_argument
def maint(member: str) -> None:
    """Give a member nothing at all."""
    _set_member(member, {"state": "maint"})


@command("weight")
@member_argument
@click.argument("number", metavar="N", type=click.IntRange(0, 256))
def weight(member: str, number: int) -> None:
    """Set a member's share of the requests, 0 to 256."""
    _set_member(member, {"weight": number})


@command("history")
@site_argument
def history(site: str | None) -> None:
    """Who did what, when, why; oldest first."""
    result = result_of("history.list", {"site": site})
    put(result, lambda: _show().history_page(result["entries"]))


@command("reload")
def reload() -> None:
    """New configuration, without losing a request."""
    result = result_of("daemon.reload", {})
    put(result, lambda: _show().reload_page(result))
    warn(result)


@command("check")
@click.argument("file")
def check(file: str) -> None:
    """Test a configuration by the daemon's own --check."""
    import subprocess

    # -P: a folder named twisted where the operator stands is not what shall run.
    run = "from twisted.scripts.twistd import run; run()"
    asked = [sys.executable, "-P", "-c", run, "sorryd", f"--config={file}", "--check"]
    code = subprocess.run(asked, check=False).returncode
    click.get_current_context().exit(min(abs(code), 1))


@command("version")
def version() -> None:
    """Versions of the daemon and of what it stands on."""
    result = result_of("daemon.version", {})
    put(result, lambda: _show().version_page(result))


def _window(method: str, params: Mapping[str, Param]) -> None:
    result = result_of(method, params)
    put(result, lambda: _show().window_page(result))


def _set_member(member: str, change: Mapping[str, Param]) -> None:
    site, url = site_and_url(member)
    result = result_of("member.set", {"site": site, "url": url, **change})
    put(result, lambda: _show().member_page(result))


def _show() -> ModuleType:
    """The pages, imported only where one is shown."""
    from sorryd.ctl import show

    return show
