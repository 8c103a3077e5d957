"""git over HTTP: clone, fetch and push through sorryd, with bodies as git frames them."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
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
    "http.version": "HTTP/1.1", "init.defaultBranch": "main", "http.proxy": "",
}  # fmt: skip


class Repositories:
    """`central` is behind sorryd, which is at `url`; `own` is a visitor's."""

    def __init__(self, folder: Path, server: GitServer, url: str) -> None:
        self.folder = folder
        self.server = server
        self.url = f"{url}/central.git"
        self.central = folder / "central.git"
        self.own = folder / "own"
        self._trust = {"http.sslCAInfo": str(folder / "ca.pem")}

    def git(self, *words: str, at: Path, **settings: str) -> str:
        """Run git in a folder; settings are `http_postBuffer="1"`; what it says."""
        named = {name.replace("_", "."): value for name, value in settings.items()}
        return git(*words, at=at, **_SETTINGS, **named, **self._trust)

    def commit(self, at: Path, size: int) -> str:
        """Commit a file of `size` bytes that can't be compressed; the commit's name."""
        (at / f"file-{size}").write_bytes(random.Random(size).randbytes(size))
        self.git("add", ".", at=at)
        self.git("commit", "--quiet", "--message", "more", at=at)
        return self.git("rev-parse", "HEAD", at=at)

    def chat(self, at: Path, times: int) -> None:
        """So many commits of nothing."""
        for _ in range(times):
            self.git("commit", "--quiet", "--allow-empty", "--message", "nothing", at=at)

    def came(self) -> set[str]:
        """How requests came since this was asked last."""
        requests, self.server.requests = set(self.server.requests), []
        return requests


def git(*words: str, at: Path, **settings: str) -> str:
    """What git says."""
    options = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
    environment = {
        **ENVIRONMENT, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
    }  # fmt: skip
    done = subprocess.run(
        ["git", *options, *words], cwd=at, env=environment, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(params=["http", "https"])
def repositories(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repositories]:
    """A central one with a file of 3 MB, behind sorryd, and a clone of it."""
    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    tls = request.param == "https"
    keys = {}
    if tls:
        (tmp_path / "shop.pem").write_bytes(b"".join(issue(ROOT, ["127.0.0.1"])))
        keys = {"listen": "127.0.0.1:0 tls", "certificate": "shop.pem"}
    git("init", "--quiet", "--bare", "central.git", at=tmp_path, **_SETTINGS)
    with ExitStack() as entered:
        server = entered.enter_context(git_server(tmp_path))
        daemon = entered.enter_context(Daemon(tmp_path, configuration([server.url], **keys)))
        url = f"{request.param}://127.0.0.1:{daemon.port(scheme=request.param)}"
        acting = Repositories(tmp_path, server, url)
        acting.git("config", "http.receivepack", "true", at=acting.central)
        acting.git("clone", "--quiet", acting.url, "own", at=tmp_path)
        yield acting


def test_a_day_of_git(repositories: Repositories) -> None:
    """Pushed in one piece and in chunks, cloned, fetched with what both have in common."""
    repositories.came()
    first = repositories.commit(repositories.own, 300_000)
    repositories.git("push", "--quiet", "origin", "HEAD:main", at=repositories.own)
    assert "POST /central.git/git-receive-pack" in repositories.came()

    second = repositories.commit(repositories.own, 3_000_000)
    push = ("push", "--quiet", "origin", "HEAD:main")
    repositories.git(*push, at=repositories.own, http_postBuffer="65536")
    assert "POST /central.git/git-receive-pack chunked" in repositories.came()
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
    assert "POST /central.git/git-upload-pack gzip" in repositories.came()
    third = repositories.git("rev-parse", "HEAD", at=repositories.own)
    assert repositories.git("rev-parse", "origin/branch-0", at=other) == third
