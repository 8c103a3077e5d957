"""git over HTTP: clone, fetch and push through sorryd, with bodies as git frames them."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.certificates import authority, issue
from tests.end_to_end.daemon import Daemon, configuration
from tests.end_to_end.git_server import GitServer, git_server
from tests.end_to_end.programs import ENVIRONMENT, needs
from tests.end_to_end.waiting import PATIENCE

pytestmark = needs("git")

ROOT = authority()
_SETTINGS: Final = {
    "user.name": "a", "user.email": "a@shop.example", "commit.gpgsign": "false", "gc.auto": "0",
    "http.version": "HTTP/1.1", "init.defaultBranch": "main", "core.compression": "0",
}  # fmt: skip


class Repositories:
    """In `folder`, `central` is behind sorryd, which is at `url`; `own` is a visitor's clone."""

    def __init__(self, folder: Path, server: GitServer, url: str) -> None:
        self.folder = folder
        self.server = server
        self.url = f"{url}/{folder.name}/central.git"
        self.central = folder / "central.git"
        self.own = folder / "own"
        self._trust = {"http.sslCAInfo": str(folder.parent / "ca.pem")}
        self.git("init", "--quiet", "--bare", "central.git", at=folder)
        self.git("config", "http.receivepack", "true", at=self.central)
        self.git("clone", "--quiet", self.url, "own", at=folder)

    def git(self, *words: str, at: Path, send: str = "", **settings: str) -> str:
        """Run git in a folder; settings are `http_postBuffer="1"`; what it says."""
        named = {name.replace("_", "."): value for name, value in settings.items()}
        return git(*words, at=at, send=send, **_SETTINGS, **named, **self._trust)

    def commit(self, at: Path, size: int) -> str:
        """Commit a file of `size` bytes that can't be compressed; the commit's name."""
        (at / f"file-{size}").write_bytes(random.Random(size).randbytes(size))
        self.git("add", ".", at=at)
        self.git("commit", "--quiet", "--message", "more", at=at)
        return self.git("rev-parse", "HEAD", at=at)

    def chat(self, at: Path, times: int) -> None:
        """So many commits of nothing; `at` tells them from those elsewhere."""
        one = "commit refs/heads/main\ncommitter a <a@shop.example> {} +0000\ndata <<END\n{}\nEND\n"
        stream = [one.format(number, at.name) for number in range(times)]
        stream[0] += "from refs/heads/main^0\n"
        self.git("fast-import", "--quiet", at=at, send="\n".join(stream))

    def came(self) -> set[str]:
        """How bodies came since this was asked last."""
        requests, self.server.requests = set(self.server.requests), []
        return {name.removeprefix(f"POST /{self.folder.name}/central.git/") for name in requests}


def git(*words: str, at: Path, send: str = "", **settings: str) -> str:
    """What git says, with `send` as its stdin."""
    options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
    environment = {
        **ENVIRONMENT, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
    }  # fmt: skip
    done = subprocess.run(
        ["git", *options, *words], cwd=at, env=environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False, input=send,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def serving(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Daemon, GitServer]]:
    """sorryd, plain and over TLS, and the server behind it."""
    folder = tmp_path_factory.mktemp("git")
    (folder / "ca.pem").write_bytes(ROOT.pem)
    (folder / "shop.pem").write_bytes(b"".join(issue(ROOT, ["127.0.0.1"])))
    with git_server(folder) as server:
        listen = "127.0.0.1:0, 127.0.0.1:0 tls"
        ini = configuration([server.url], listen=listen, certificate="shop.pem")
        with Daemon(folder, ini) as daemon:
            yield daemon, server


@pytest.fixture(params=["http", "https"])
def repositories(request: pytest.FixtureRequest, serving: tuple[Daemon, GitServer]) -> Repositories:
    """A central one, behind sorryd, and a clone of it."""
    daemon, server = serving
    folder = daemon.folder / request.param
    folder.mkdir()
    return Repositories(
        folder, server, f"{request.param}://127.0.0.1:{daemon.port(scheme=request.param)}"
    )


def test_a_day_of_git(repositories: Repositories) -> None:
    """Pushed in one piece and in chunks, cloned, fetched with what both have in common."""
    repositories.came()
    first = repositories.commit(repositories.own, 300_000)
    repositories.git("push", "--quiet", "origin", "HEAD:main", at=repositories.own)
    assert "git-receive-pack" in repositories.came()

    second = repositories.commit(repositories.own, 1_000_000)
    push = ("push", "--quiet", "origin", "HEAD:main")
    repositories.git(*push, at=repositories.own, http_postBuffer="65536")
    assert "git-receive-pack chunked" in repositories.came()
    assert repositories.git("rev-parse", "main", at=repositories.central) == second

    other = repositories.folder / "other"
    repositories.git(
        "clone", "--quiet", "--branch=main", repositories.url, "other", at=repositories.folder
    )
    assert repositories.git("rev-parse", "HEAD", at=other) == second
    assert repositories.git("rev-parse", "HEAD~", at=other) == first
    repositories.git("fsck", "--strict", at=other)

    # What each has of its own makes them talk at length.
    repositories.chat(other, 16)
    repositories.chat(repositories.own, 6)
    branches = [f"HEAD~{number}:refs/heads/branch-{number}" for number in range(6)]
    repositories.git("push", "--quiet", "origin", *branches, at=repositories.own)
    repositories.came()
    repositories.git("fetch", "--quiet", "origin", at=other)
    assert "git-upload-pack gzip" in repositories.came()
    third = repositories.git("rev-parse", "HEAD", at=repositories.own)
    assert repositories.git("rev-parse", "origin/branch-0", at=other) == third
