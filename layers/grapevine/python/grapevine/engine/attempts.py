"""Trying an optimistic transaction again while others change the same items."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from grapevine.errors import Busy

DEADLINE_SECONDS = 20.0
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.5


def attempts(within_seconds: float | None = None) -> Iterator[int]:
    """Counts tries from 0, pausing longer and longer with jitter between them.

    Raises:
        Busy: the deadline (20 s, inside the 29 that a function has) passed without success.
    """
    deadline = DEADLINE_SECONDS if within_seconds is None else within_seconds
    give_up_at = time.monotonic() + deadline
    pause = _FIRST_PAUSE_SECONDS
    attempt = 0
    while time.monotonic() < give_up_at:
        yield attempt
        time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        attempt += 1
    raise Busy
