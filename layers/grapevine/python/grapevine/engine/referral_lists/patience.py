"""How long a request may look through a list."""

from __future__ import annotations

import time

from grapevine.errors import InvalidRequest

MOST_SECONDS = 20.0
"""Inside the 29 that a function has."""


class Patience:
    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self._ends_at = time.monotonic() + seconds

    def check(self) -> None:
        """Raises InvalidRequest when the time is up."""
        if time.monotonic() >= self._ends_at:
            raise InvalidRequest(
                "There are too many referrals to look through them all in one request. Ask for "
                "another order or for fewer filters, and page by nextId instead of by offset."
            )
