"""The one clock of the stack: real time plus an offset, which can be moved forward."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class BackwardMove(ValueError):
    """The clock was asked to go back."""


def _system_time_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock:
    """All times are Unix milliseconds."""

    def __init__(self, system_ms: Callable[[], int] = _system_time_ms) -> None:
        self._system_ms = system_ms
        self._offset_ms = 0
        self._standing_at: int | None = None
        self._lock = threading.Lock()

    def now_ms(self) -> int:
        with self._lock:
            return self._now()

    def stand_at(self, moment_ms: int) -> None:
        """Move to a moment and stay there, until `run_from` lets the clock run again."""
        with self._lock:
            self._refuse_backward(moment_ms)
            self._standing_at = moment_ms

    def run_from(self, moment_ms: int) -> None:
        """Move to a moment and run on from it at the speed of real time."""
        with self._lock:
            self._refuse_backward(moment_ms)
            self._standing_at = None
            self._offset_ms = moment_ms - self._system_ms()

    def _now(self) -> int:
        if self._standing_at is not None:
            return self._standing_at
        return self._system_ms() + self._offset_ms

    def _refuse_backward(self, moment_ms: int) -> None:
        if moment_ms < self._now():
            raise BackwardMove(f"the clock stands at {self._now()} and never goes back")
