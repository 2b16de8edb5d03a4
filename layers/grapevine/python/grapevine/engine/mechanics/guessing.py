"""Guessing codes: whoever names too many that do not exist must wait for the next minute.

A guess is refused when it is too late for it, whether or not it was right: so a refusal tells
nothing. What is tried at the same moment as the last one that is allowed may still be answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.access import Caller
from grapevine.errors import LimitReached
from grapevine.table import mechanics_keys, store
from grapevine.table.attributes import Item
from grapevine.table.codes import CodeAttempts
from grapevine.table.keys import Key
from grapevine.table.writes import ABSENT

MOST_BY_KEY = 100
"""Wrong codes a minute that come with one API key. With a million codes to be found, guessing
so for a day finds one in six days."""
MOST_BY_USER = 10
"""Wrong codes a minute of one user, so that nobody alone uses up what the key may."""

_MINUTE_MS = 60_000
_KEPT_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Guesses:
    """Those of a minute: `limits` by who is counted."""

    account_id: str
    minute: int
    limits: Mapping[str, int]

    @classmethod
    def by(cls, caller: Caller, campaign_id: str = "", user_id: str | None = None) -> Guesses:
        """The user's limit is looked at first: beyond it nothing counts against the key."""
        limits: dict[str, int] = {}
        if user_id is not None:
            text = f"{campaign_id}\n{user_id}"
            limits[hashlib.sha256(text.encode()).hexdigest()[:40]] = MOST_BY_USER
        limits[caller.key_id] = MOST_BY_KEY
        return cls(caller.account_id, runtime.now_ms() // _MINUTE_MS, limits)

    def keys(self) -> list[Key]:
        return [self._key(subject) for subject in self.limits]

    def refuse_if_too_many(self, found: Mapping[Key, Item]) -> None:
        """Raises LimitReached; `found` is what was read of `keys`."""
        for subject, most in self.limits.items():
            item = found.get(self._key(subject))
            if item is not None and CodeAttempts.from_item(item).failed >= most:
                raise self._too_many()

    def count(self) -> None:
        """One more that was wrong. Raises LimitReached where that is one too many."""
        for subject, most in self.limits.items():
            if not self._count(subject, most):
                raise self._too_many()

    def _count(self, subject: str, most: int) -> bool:
        first = CodeAttempts(
            account_id=self.account_id,
            subject=subject,
            minute=self.minute,
            expires_at=(self.minute + _KEPT_MINUTES) * _MINUTE_MS // 1000,
        )
        for _ in range(2):
            values = {":one": 1, ":most": most}
            if store.change(first.key, "SET failed = failed + :one", values, "failed < :most"):
                return True
            if store.put(first.to_item(), ABSENT):
                return True
        return False

    def _key(self, subject: str) -> Key:
        return mechanics_keys.code_attempts(self.account_id, subject, self.minute)

    def _too_many(self) -> LimitReached:
        left_ms = (self.minute + 1) * _MINUTE_MS - runtime.now_ms()
        return LimitReached("Too many codes that do not exist.", max(1, -(-left_ms // 1000)))
