"""What the totals already contain of each participant: the projection's exactly-once guard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Entity):
    """The standing's `version` that was counted last, and what it added to the totals.

    `expires_at` (seconds) is set with the tombstone of a deleted participant.
    """

    TYPE: ClassVar[str] = "Counted"

    campaign_id: str
    participant_id: str
    version: int
    participants: int
    referrals: int
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.counted(self.campaign_id, self.participant_id)
