"""What has been counted of a participant's share link, and the guards that keep the counts honest.

A visitor and an address are known by a salted hash only; the salt is the campaign's own and never
leaves the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from grapevine.table import keys
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key
from grapevine.table.standings import position


@dataclass(frozen=True, slots=True, kw_only=True)
class Impressions(Entity):
    """A participant's impressions, those by a visitor's first visit among them (`unique`), and its
    shares by channel. Where the last change was a share, `last_share` is its channel and
    `last_share_at` its time (ms). It comes with the first of them; with `deleted_at` it is a
    tombstone, which goes away by its `expires_at` (seconds)."""

    TYPE: ClassVar[str] = "Impressions"

    campaign_id: str
    participant_id: str
    version: int = 0
    join_sequence: int
    total: int = 0
    unique: int = 0
    shares: dict[str, int] = as_json()
    last_share: str | None = None
    last_share_at: int | None = None
    deleted_at: int | None = None
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.impressions(self.campaign_id, self.participant_id)

    @property
    def share_total(self) -> int:
        return sum(self.shares.values())

    def index_attributes(self) -> Item:
        """Places in the orders by impressions, which share the indexes of the orders by credits."""
        attributes: dict[str, Any] = {}
        if self.total:
            attributes["allTimeBoard"] = keys.impression_board(self.campaign_id)
            attributes["allTimePosition"] = position(self.total, self.join_sequence)
            # In join order, so that those without impressions are found as the ones between.
            attributes["oddMonthBoard"] = keys.visited(self.campaign_id)
            attributes["oddMonthPosition"] = self.join_sequence
        if self.unique:
            attributes["evenMonthBoard"] = keys.unique_impression_board(self.campaign_id)
            attributes["evenMonthPosition"] = position(self.unique, self.join_sequence)
        return attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor(Entity):
    """What one visitor has done to one participant's link: until when (ms) it counts as seen
    there, how much in the current hour, and the last requests, so that a repeated one is known."""

    TYPE: ClassVar[str] = "Visitor"

    campaign_id: str
    visitor_hash: str
    participant_id: str
    version: int = 0
    seen_until: int | None = None
    hour: int = 0
    impressions_in_hour: int = 0
    shares_in_hour: int = 0
    recent_requests: tuple[str, ...] = ()
    expires_at: int = 0

    @property
    def key(self) -> Key:
        return keys.visitor(self.campaign_id, self.visitor_hash, self.participant_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHour(Entity):
    """How much has been counted in one hour from one source: an address, by its hash."""

    TYPE: ClassVar[str] = "SourceHour"

    campaign_id: str
    source_hash: str
    hour: int
    version: int = 0
    count: int = 0
    expires_at: int = 0

    @property
    def key(self) -> Key:
        return keys.source_hour(self.campaign_id, self.source_hash, self.hour)
