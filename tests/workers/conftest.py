"""Where the dialogues of processes are played."""

from tests.workers.lives import lives as lives
from tests.workers.turning import turning as turning
