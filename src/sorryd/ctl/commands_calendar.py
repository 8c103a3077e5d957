"""The command that hands out the calendar of maintenance."""

from __future__ import annotations

import os
import tempfile

import click

from sorryd.ctl.commands import command, site_argument
from sorryd.ctl.completing import files
from sorryd.ctl.options import Refused, choices, put_json, result_of, senseless

_MODE = 0o644  # a web server shall read it


@command(
    "calendar",
    examples=[
        "sorryctl calendar -o /var/www/maintenance.ics",
        "sorryctl calendar shop | less",
    ],
)
@site_argument
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=files,
    help="Write it there, whole or not at all, and only where it is another one.",
)
def calendar(site: str | None, output: str | None) -> None:
    """Windows as an iCalendar feed, for calendars to subscribe to."""
    result = result_of("calendar.get", {"site": site})
    try:
        text = result["calendar"].encode()
    except (KeyError, TypeError, AttributeError):
        raise senseless() from None
    if output is not None:
        _write(output, text)
    if choices().json:
        put_json(result)
    elif output is None:
        click.echo(text, nl=False)


def _write(path: str, text: bytes) -> None:
    """Put `text` into the file at `path`, unless it is there."""
    try:
        if _read(path) == text:
            return
        folder, name = os.path.split(path)
        descriptor, beside = tempfile.mkstemp(prefix=f".{name}.", dir=folder or ".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, _MODE)
                file.write(text)
            os.replace(beside, path)
        except OSError:
            os.unlink(beside)
            raise
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
