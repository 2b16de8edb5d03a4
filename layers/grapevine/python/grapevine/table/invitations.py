"""How much a participant has invited, and how much a campaign has on one day: counts and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import keys
from grapevine.table.entity import Entity
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations(Entity):
    """All addresses that a participant has invited, those that have joined since among them, and
    how many of them on `day` (days since the epoch, UTC). It comes with the first of them; with
    `deleted_at` it is a tombstone, which goes away by its `expires_at` (seconds)."""

    TYPE: ClassVar[str] = "Invitations"

    campaign_id: str
    participant_id: str
    version: int = 0
    invite_count: int = 0
    day: int = 0
    day_count: int = 0
    deleted_at: int | None = None
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.invitations(self.campaign_id, self.participant_id)

    def count_on(self, day: int) -> int:
        return self.day_count if self.day == day else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteDay(Entity):
    """How many invites of a campaign have been reserved on one day, sent or not."""

    TYPE: ClassVar[str] = "InviteDay"

    campaign_id: str
    day: int
    reserved: int = 0
    expires_at: int

    @property
    def key(self) -> Key:
        return keys.invite_day(self.campaign_id, self.day)
