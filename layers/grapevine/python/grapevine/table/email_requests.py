"""What has been asked to be written to one participant lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import email_keys
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailRequests(Entity):
    """How many on `day` (days since the epoch, UTC), and when (ms) which request came last, by its
    hash. Nothing personal; it goes away by its `expires_at` (seconds)."""

    TYPE: ClassVar[str] = "EmailRequests"

    campaign_id: str
    participant_id: str
    version: int = 0
    day: int = 0
    day_count: int = 0
    recent: dict[str, int] = as_json()
    expires_at: int = 0

    @property
    def key(self) -> Key:
        return email_keys.email_requests(self.campaign_id, self.participant_id)

    def count_on(self, day: int) -> int:
        return self.day_count if self.day == day else 0
