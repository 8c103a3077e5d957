"""What all commands share: the global options, the question to the daemon, the printing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sorryd.ctl.client import Daemon, NoDaemonError, Param, RefusedError, UnsayableError
from sorryd.ctl.completing import files
from sorryd.ctl.locate import UnreadableError, find_socket

if TYPE_CHECKING:
    from sorryd.ctl.page import Page

Command = TypeVar("Command", bound=Callable[..., Any])


class Choices:
    """The global options as given."""

    def __init__(self) -> None:
        self.socket: str | None = None
        self.config: str | None = None
        self.json = False


class Refused(click.ClickException):
    """The daemon refused; says why in one line, and the faults of a file in one each."""

    exit_code = 1

    def __init__(self, message: str, faults: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.faults = faults

    def show(self, file: Any = None) -> None:
        complain(self.message)
        for fault in self.faults:  # bare, as --check has them: editors find the line
            click.echo(_clean(fault), err=True)


class NoDaemon(Refused):
    """No daemon answered, or not with sense."""

    exit_code = 3


def complain(text: str) -> None:
    """One line on stderr, whatever is in `text`."""
    click.echo(f"sorryctl: {_clean(text)}", err=True)


def _clean(text: str) -> str:
    from sorryd.ctl.page import clean

    return clean(text)


def global_options(hidden: bool) -> Callable[[Command], Command]:
    """--socket, --config and --json; after a command they serve too, but are not listed."""

    def decorate(command: Command) -> Command:
        for option in (
            click.option(
                "--json",
                is_flag=True,
                help="Print the daemon's result alone, as JSON.",
                **_remembered("json", hidden),
            ),
            click.option(
                "--config",
                metavar="FILE",
                shell_complete=files,
                help="The daemon's sorryd.ini, which names the control socket.",
                **_remembered("config", hidden),
            ),
            click.option(
                "--socket",
                metavar="PATH",
                shell_complete=files,
                help="The control socket. Also: $SORRYD_SOCKET.",
                **_remembered("socket", hidden),
            ),
        ):
            command = option(command)
        return command

    return decorate


def _remembered(name: str, hidden: bool) -> dict[str, Any]:
    def remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
        choices = context.ensure_object(Choices)
        if value:
            setattr(choices, name, value)

    return {"callback": remember, "expose_value": False, "hidden": hidden}


def choices() -> Choices:
    """The global options of this call."""
    return click.get_current_context().ensure_object(Choices)


def result_of(method: str, params: Mapping[str, Param]) -> Any:
    """The daemon's result. Raises Refused, NoDaemon, click.UsageError."""
    with daemon() as one:
        return one.ask(method, params)


@contextmanager
def daemon(within: float | None = None) -> Iterator[Daemon]:
    """The daemon, to be asked; its errors as those of click.

    `within` is the seconds that it has for each answer.
    """
    with translated(), Daemon(socket_path(), within) as one:
        yield one


def socket_path() -> str:
    """Where the control socket is, by the global options."""
    given = choices()
    return find_socket(given.socket, given.config)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of `client` and `locate` as those of click."""
    try:
        yield
    except UnreadableError as error:
        raise click.BadParameter(str(error), param_hint="--config") from None
    except UnsayableError as error:
        raise click.UsageError(str(error)) from None
    except RefusedError as error:
        raise Refused(str(error), error.faults) from None
    except NoDaemonError as error:
        raise NoDaemon(str(error)) from None


def put(result: object, page: Callable[[], Page]) -> None:
    """Print `result`: with --json as it is, else as a page, made only then."""
    if choices().json:
        put_json(result)
        return
    from sorryd.ctl.page import plain

    try:
        shown = page()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise senseless() from None
    if sys.stdout.isatty():
        from sorryd.ctl.terminal import show

        show(shown)
    else:
        click.echo(plain(shown), nl=False)


def senseless() -> NoDaemon:
    """An answer in a shape that was not expected."""
    text = "the daemon's answer makes no sense: are sorryd and sorryctl of one version?"
    return NoDaemon(text)


def warn(*results: Any) -> None:
    """Say on stderr, each once, the warnings of results whose page does not show them."""
    if not choices().json:
        for text in dict.fromkeys(text for one in results for text in one.get("warnings", ())):
            complain(f"warning: {text}")


def put_json(result: object) -> None:
    """Print `result` in one line."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    click.echo(json.dumps(result, ensure_ascii=not utf8, separators=(",", ":")))
