"""Guessing codes: whoever names too many that do not exist must wait for the next minute.

Whoever is stopped is refused whether or not the guess was right: so a refusal tells nothing. What
is tried at the same moment as the last one that is allowed may still be answered.

Redeeming, a user is stopped by wrong codes of that user alone. The key's are counted as well, and
beyond its limit wrong ones are told to wait; but a right one pays, or one visitor who guesses would
keep all others from it. The key's limit is therefore no wall against a guesser with many users.
Verifying names no user, so the key is what is stopped there, and redeeming has no part in it.
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
"""Wrong codes a minute that come with one API key, to be verified, and as many to be redeemed. With
a million codes to be found, verifying so for a day finds one in six days."""
MOST_BY_USER = 10
"""Wrong codes a minute that one user may name to redeem them."""

_MINUTE_MS = 60_000
_KEPT_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Guesses:
    """Those of a minute: `limits` by who is counted. `stopped` is who is refused at the limit, also
    with a code that is right."""

    account_id: str
    minute: int
    limits: Mapping[str, int]
    stopped: str

    @classmethod
    def verifying(cls, caller: Caller) -> Guesses:
        subject = _subject("verify", caller.key_id)
        return cls(caller.account_id, _minute(), {subject: MOST_BY_KEY}, subject)

    @classmethod
    def redeeming(cls, caller: Caller, campaign_id: str, user_id: str) -> Guesses:
        """The user's limit is looked at first: beyond it nothing counts against the key."""
        subject = _subject(campaign_id, user_id)
        limits = {subject: MOST_BY_USER, caller.key_id: MOST_BY_KEY}
        return cls(caller.account_id, _minute(), limits, subject)

    @property
    def key(self) -> Key:
        """What `refuse_if_too_many` is to be told of."""
        return self._key(self.stopped)

    def refuse_if_too_many(self, found: Mapping[Key, Item]) -> None:
        """Raises LimitReached for whoever is stopped; `found` is what was read of `key`."""
        item = found.get(self.key)
        if item is not None and CodeAttempts.from_item(item).failed >= self.limits[self.stopped]:
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


def _minute() -> int:
    return runtime.now_ms() // _MINUTE_MS


def _subject(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
