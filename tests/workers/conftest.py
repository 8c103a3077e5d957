"""Where the dialogues of processes are played."""

from tests.workers.turning import turning as turning
