"""What the totals already contain of an item: the projection's exactly-once guard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import keys
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Entity):
    """`version` of the participant's `source` item (its type) that was counted last, and `amounts`,
    what it added to the totals by their names. `generation` says of which count of the campaign
    it is a part.

    `expires_at` (seconds) is set with the tombstone of a deleted participant.
    """

    TYPE: ClassVar[str] = "Counted"

    campaign_id: str
    participant_id: str
    source: str
    version: int
    generation: int = 0
    amounts: dict[str, int] = as_json()
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.counted(self.campaign_id, self.participant_id, self.source)
