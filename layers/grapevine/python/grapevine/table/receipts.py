"""Which events have been taken: what makes a repeated request the same event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import mechanics_keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Entity):
    """`body` is the answer as it was sent. `fingerprint` says what was asked for; None where the
    key alone makes it the same request."""

    TYPE: ClassVar[str] = "Receipt"

    campaign_id: str
    key_hash: str
    event_id: str
    fingerprint: str | None = None
    body: str
    created_at: int

    @property
    def key(self) -> Key:
        return mechanics_keys.receipt(self.campaign_id, self.key_hash)
