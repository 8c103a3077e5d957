"""sorryctl as a process: exit codes, endings without a traceback, what it imports."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ctl.fake_daemon import FakeDaemon
from tests.ctl.test_commands import RESULTS, STATUS

RUN = "from sorryd.ctl.main import main; main()"
COMMAND = [sys.executable, "-c", RUN]
# What sorryctl must do without, as each takes longer to import than all the rest of it.
SLOW = {"twisted", "msgspec", "rich", "jinja2", "apscheduler", "sorryd.model", "sorryd.messages"}


def run(
    *arguments: str, code: str = RUN, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """sorryctl with `arguments`; SORRYD_SOCKET only where it is given."""
    env = {name: value for name, value in os.environ.items() if name != "SORRYD_SOCKET"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=cwd,
        env={**env, **environment},
        check=False,
    )


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    """A daemon that answers every method."""
    with FakeDaemon(tmp_path / "s", RESULTS) as running:
        yield running


def test_done(daemon: FakeDaemon) -> None:
    """A command that is done exits 0 with its result on stdout and nothing on stderr."""
    outcome = run("--socket", str(daemon.path), "status", "--json")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout) == STATUS


def test_refused(tmp_path: Path) -> None:
    """A refusal exits 1, with the daemon's reason in one line on stderr."""
    with FakeDaemon(tmp_path / "s", {}) as daemon:
        outcome = run("up", "nosuch", SORRYD_SOCKET=str(daemon.path))
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == "sorryctl: nosuch: there is no such site\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "sorryctl: No such command 'nosuch'; see sorryctl --help\n"),
        (["plan", "shop"], "sorryctl: plan: not supported yet; see sorryctl --help\n"),
        (["watch"], "sorryctl: watch: not supported yet; see sorryctl --help\n"),
        (["show"], "sorryctl: Missing argument 'ID'; see sorryctl show --help\n"),
        (
            ["down", "--for", "1h", "--until", "2"],
            "sorryctl: --until and --for exclude each other; see sorryctl down --help\n",
        ),
    ],
)
def test_wrong_use(arguments: list[str], said: str) -> None:
    """Wrong usage exits 2, and says in one line where to read on."""
    outcome = run(*arguments)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (2, "", said)


def test_no_command() -> None:
    """Without a command it shows the help, and exits 2."""
    outcome = run()
    assert outcome.returncode == 2
    assert "is-down" in outcome.stderr


ANSWERS: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "closed the connection before it had answered"),
    ("half an answer", b'{"jsonrpc":"2.0","id":1,"result":{}', "before it had answered"),
    ("no JSON", b"HTTP/1.1 400 Bad Request\r\n", "is not sorryd"),
    ("no UTF-8", b"\xff\xff\n", "is not sorryd"),
    ("a list", b"[]\n", "is not sorryd"),
    ("deep", b"[" * 100_000 + b"\n", "is not sorryd"),
    ("neither", b'{"jsonrpc":"2.0","id":1}\n', "is not sorryd"),
    ("an odd error", b'{"jsonrpc":"2.0","id":1,"error":5}\n', "is not sorryd"),
    ("another shape", b'{"jsonrpc":"2.0","id":1,"result":{}}\n', "makes no sense"),
    ("null", b'{"jsonrpc":"2.0","id":1,"result":null}\n', "makes no sense"),
    ("bad times", b'{"jsonrpc":"2.0","id":1,"result":{"now":"x","sites":[]}}\n', "no sense"),
]


@pytest.mark.parametrize(
    ("answer", "said"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_broken_answers(tmp_path: Path, answer: bytes, said: str) -> None:
    """Whatever answers in place of sorryd: exit 3, and one line that says so."""
    with FakeDaemon(tmp_path / "s", {"status": answer}) as daemon:
        outcome = run("status", SORRYD_SOCKET=str(daemon.path))
    assert (outcome.returncode, outcome.stdout) == (3, "")
    assert said in outcome.stderr
    assert outcome.stderr.startswith("sorryctl: ")
    assert outcome.stderr.count("\n") == 1


def test_is_down_of_another_shape(tmp_path: Path) -> None:
    """is-down never takes an answer that it does not understand for a yes or a no."""
    with FakeDaemon(tmp_path / "s", {"status": {"sites": 5}}) as daemon:
        outcome = run("is-down", SORRYD_SOCKET=str(daemon.path))
    assert outcome.returncode == 3


def test_nobody_there(tmp_path: Path) -> None:
    """Without a daemon it exits 3 and says how to start one."""
    missing = run("is-down", "--socket", str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "s"))
    refused = run("is-down", "--socket", str(tmp_path / "s"))
    long = run("is-down", "--socket", "x" * 200)
    assert [missing.returncode, refused.returncode, long.returncode] == [3, 3, 3]
    assert "no daemon at " in missing.stderr
    assert "no daemon listens at " in refused.stderr
    assert "AF_UNIX path too long" in long.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may connect to every socket")
def test_no_permission(daemon: FakeDaemon) -> None:
    """A socket that one may not connect to: exit 3, and who may."""
    daemon.path.chmod(0)
    outcome = run("status", "--socket", str(daemon.path))
    assert outcome.returncode == 3
    assert "that is for root and the socket's group" in outcome.stderr


def test_daemon_that_says_nothing(tmp_path: Path) -> None:
    """It gives up in time on a daemon that accepts and says nothing."""
    code = f"import sorryd.ctl.client as c; c.ANSWER_WITHIN = 0.1; {RUN}"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        outcome = run("status", "--socket", str(tmp_path / "s"), code=code)
    assert outcome.returncode == 3
    assert "no answer within" in outcome.stderr


def test_full_backlog(tmp_path: Path) -> None:
    """It waits its turn where others wait to be accepted, and gives up in time."""
    code = f"import sorryd.ctl.client as c; c.ANSWER_WITHIN = 0.1; {RUN}"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(tmp_path / "s"))
        busy.listen(0)
        first.connect(str(tmp_path / "s"))
        outcome = run("is-down", "--socket", str(tmp_path / "s"), code=code)
    assert outcome.returncode == 3
    assert "no answer within" in outcome.stderr


def test_control_c(tmp_path: Path) -> None:
    """Ctrl-C while it waits ends it by that signal, silently."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        command = [*COMMAND, "status", "--socket", str(tmp_path / "s")]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()  # so it waits for its answer now
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=10)
            connection.close()
    assert (process.returncode, said) == (-signal.SIGINT, b"")


def test_closed_pipe(daemon: FakeDaemon) -> None:
    """A reader that leaves, such as head, ends it silently."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "windows", "--socket", str(daemon.path)]
    with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (-signal.SIGPIPE, b"")


def test_full_disk(daemon: FakeDaemon) -> None:
    """A result that can't be written is an error of its own, in one line."""
    with Path("/dev/full").open("w") as full:
        command = [*COMMAND, "windows", "--socket", str(daemon.path)]
        outcome = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert outcome.returncode == 74
    assert outcome.stderr == b"sorryctl: can't write the result: No space left on device\n"


@pytest.mark.parametrize("words", [["windows"], ["windows", "--json"]])
def test_narrow_locale(daemon: FakeDaemon, words: list[str]) -> None:
    """A terminal that can't show a letter gets its escape, and JSON stays JSON."""
    outcome = run(*words, SORRYD_SOCKET=str(daemon.path), PYTHONIOENCODING="latin-1")
    assert outcome.returncode == 0
    assert r"\u65b0" in outcome.stdout


def test_terminal(daemon: FakeDaemon) -> None:
    """On a terminal there are colours, and nothing of the text is lost."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    env.pop("NO_COLOR", None)
    command = [*COMMAND, "status", "--socket", str(daemon.path)]
    with subprocess.Popen(command, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = _read_all(ours)
        assert process.wait(10) == 0
    assert "\x1b[1;31mdown\x1b[0m" in shown
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "shop: down, by hand" in text
    assert "http://10.0.0.11:3000" in text
    assert "新しい database" in text


@pytest.mark.parametrize(
    ("columns", "ends"),
    [
        pytest.param(
            78, ["  ON\n", "  shop m1\n", "      until 05:00: hardware upgrade\n"], id="too narrow"
        ),
        pytest.param(
            79, ["  ON       WHY\n", "  shop m1  until 05:00: hardware upgrade\n"], id="wide enough"
        ),
    ],
)
def test_width_of_a_terminal(daemon: FakeDaemon, columns: int, ends: list[str]) -> None:
    """Running text that does not fit beside its row stands below it, and no column is broken."""
    lines = _on_terminal(daemon, columns, "history")
    assert len(lines) == len(ends)
    for line, end in zip(lines, ends, strict=True):
        assert f"{line.rstrip()}\n".endswith(end)


def test_sites_on_a_terminal(daemon: FakeDaemon) -> None:
    """On a terminal as in a pipe, one blank line stands between two sites, and none elsewhere."""
    lines = _on_terminal(daemon, 120, "status")
    piped = run("status", SORRYD_SOCKET=str(daemon.path), TZ="UTC").stdout.splitlines()
    assert [line.rstrip() for line in lines] == piped


def _on_terminal(daemon: FakeDaemon, columns: int, *words: str) -> list[str]:
    """The lines that a terminal of so many columns shows, without colours."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "TZ": "UTC"}
    command = [*COMMAND, *words, "--socket", str(daemon.path)]
    with subprocess.Popen(command, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = _read_all(ours)
        assert process.wait(10) == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()


def _read_all(descriptor: int) -> str:
    pieces = []
    try:
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    except OSError:  # Linux's way to say that the other end of a terminal is closed
        pass
    finally:
        os.close(descriptor)
    return b"".join(pieces).decode()


@pytest.mark.parametrize(
    "words", [["is-down"], ["--json", "status"], ["schedule", "--from=1", "--for=2", "--json"]]
)
def test_imports(daemon: FakeDaemon, words: list[str]) -> None:
    """What scripts ask starts at once: nothing slow is imported for it."""
    code = f"""if True:
        import atexit, sys
        atexit.register(lambda: print(*sys.modules, file=sys.stderr))
        {RUN}"""
    outcome = run(*words, code=code, SORRYD_SOCKET=str(daemon.path))
    imported = set(outcome.stderr.split())
    assert "click" in imported
    assert imported & SLOW == set()


def test_plain_output_needs_no_rich(daemon: FakeDaemon) -> None:
    """Output into a pipe is written without rich."""
    code = f"import sys; sys.modules['rich'] = None; {RUN}"
    assert run("status", code=code, SORRYD_SOCKET=str(daemon.path)).returncode == 0


@pytest.mark.parametrize("code", [0, 1])
def test_check(tmp_path: Path, code: int) -> None:
    """check runs the daemon's own --check on the file, and exits as it does."""
    scripts = tmp_path / "twisted" / "scripts"
    scripts.mkdir(parents=True)
    (tmp_path / "twisted" / "__init__.py").touch()
    (scripts / "__init__.py").touch()
    (scripts / "twistd.py").write_text(
        f"import sys\ndef run():\n    print(sys.argv[1:])\n    sys.exit({code})\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    outcome = run("check", "a.ini", PYTHONPATH=path)
    assert outcome.stdout == "['sorryd', '--config=a.ini', '--check']\n"
    assert outcome.returncode == code


def test_check_runs_nothing_from_here(tmp_path: Path) -> None:
    """A folder named twisted where one stands is not what check runs."""
    (tmp_path / "twisted").mkdir()
    (tmp_path / "twisted" / "__init__.py").write_text("print('taken over')")
    assert "taken over" not in run("check", "a.ini", cwd=tmp_path).stdout


def _config(path: Path, control: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[sorryd]\ncontrol = {control}\n")
    return path


def test_where_the_socket_is(tmp_path: Path) -> None:
    """--socket goes before $SORRYD_SOCKET, that before --config, that before etc/sorryd.ini."""
    config = _config(tmp_path / "other.ini", "from_config")
    _config(tmp_path / "etc" / "sorryd.ini", "from_etc")

    def tried(*arguments: str, **environment: str) -> str:
        said = run("is-down", *arguments, cwd=tmp_path, **environment).stderr
        found = re.match("sorryctl: no daemon at (.*?): ", said)
        assert found is not None, said
        return found[1]

    both = ("--socket", "given", "--config", str(config))
    assert tried(*both, SORRYD_SOCKET="environment") == "given"
    assert tried("--config", str(config), SORRYD_SOCKET="environment") == "environment"
    assert tried("--config", str(config)) == str(tmp_path / "from_config")
    assert tried() == str(tmp_path / "etc" / "from_etc")


def test_socket_of_a_config_that_names_none(tmp_path: Path) -> None:
    """A configuration without control means the daemon's default."""
    config = tmp_path / "sorryd.ini"
    config.write_text("[sorryd]\n")
    said = run("is-down", "--config", str(config)).stderr
    assert "/run/sorryd/control.sock" in said


def test_slow_answer_in_pieces(tmp_path: Path) -> None:
    """An answer that comes in pieces is put together."""
    answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": STATUS}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        command = [*COMMAND, "--json", "status", "--socket", str(tmp_path / "s")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)  # closed with the request unread, the socket would reset
                for start in range(0, len(answer), 400):
                    connection.sendall(answer[start : start + 400])
            shown, _ = process.communicate(timeout=10)
    assert json.loads(shown) == STATUS
