"""A line of a participant's activity log: what happened, and when.

Lines are projected from the stream. The key is made of the fact, so that telling a fact again
writes the same line. Nothing in a line is personal: it names people by their ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from grapevine.table import keys, places, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key

ActivityKind = Literal["COMMON", "EMAIL", "FRAUD", "REFERRAL", "REWARD", "SHARE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity(Entity):
    """`at` in ms, `expires_at` in seconds. `fact_hash` tells the facts of a moment apart and puts
    them in order."""

    TYPE: ClassVar[str] = "Activity"

    campaign_id: str
    participant_id: str
    at: int
    fact_hash: str
    kind: ActivityKind
    text: str
    expires_at: int

    @property
    def key(self) -> Key:
        return places.activity(self.campaign_id, self.participant_id, self.at, self.fact_hash)


def newest_of(campaign_id: str, participant_id: str, limit: int) -> list[Activity]:
    """The participant's last `limit` lines, newest first."""
    partition = keys.profile(campaign_id, participant_id).partition
    items = store.query(
        None, partition, limit=limit, prefix=places.ACTIVITY_PREFIX, descending=True
    )
    return [Activity.from_item(item) for item in items]
