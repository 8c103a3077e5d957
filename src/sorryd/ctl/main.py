"""sorryctl's entry point: exit codes, and endings without a traceback."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

COMPLETES = "_SORRYCTL_COMPLETE"  # in the environment: a shell asks what to offer
WRITE_FAILED = 74  # EX_IOERR of sysexits.h


def main() -> NoReturn:
    """Run sorryctl: exit 0 done, 1 refused, 2 wrong usage, 3 no daemon answered."""
    # As other Unix commands do: end silently on Ctrl-C and on a closed pipe.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a locale without the letter shall not raise
            stream.reconfigure(errors="backslashreplace")
    code = _run()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _write_failed(error)
    sys.exit(code)


def _run() -> int:
    import click

    from sorryd.ctl.commands import cli
    from sorryd.ctl.options import complain

    if os.environ.get(COMPLETES):
        from sorryd.ctl.shells import register

        register()

    try:
        return cli.main(prog_name="sorryctl", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        more = f"; see {error.ctx.command_path} --help" if error.ctx else ""
        complain(error.format_message().rstrip(".") + more)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except OSError as error:
        return _write_failed(error)


def _write_failed(error: OSError) -> int:
    # What is still in the buffer would fail again, with a traceback, as Python exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    print(f"sorryctl: can't write the result: {error.strerror or error}", file=sys.stderr)
    return WRITE_FAILED
