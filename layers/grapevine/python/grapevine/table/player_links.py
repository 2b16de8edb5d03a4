"""Which player a participant is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import event_keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerLink(Entity):
    """Never changed. It is there exactly as long as the player's `participant_id` names the
    participant: both are written in one transaction, under the player's version."""

    TYPE: ClassVar[str] = "PlayerLink"

    campaign_id: str
    participant_id: str
    user_id: str
    linked_at: int

    @property
    def key(self) -> Key:
        return event_keys.player_link(self.campaign_id, self.participant_id)
