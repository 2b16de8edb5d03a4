"""The end of a month: which months a campaign has to close, that one has ended, and who was best.

The calendar waits in the due index for the end of the first of its months. A closing stays there
until its month is settled, so that a message about it that is lost is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import keys
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Entity):
    """`months` are to be closed, the earliest first; while the campaign `is_live`, all that follow
    the last one are, too. There is no calendar where there is nothing to close."""

    TYPE: ClassVar[str] = "Calendar"

    campaign_id: str
    version: int = 0
    months: tuple[int, ...]
    is_live: bool
    due_shard: str
    due_at: int

    @property
    def key(self) -> Key:
        return keys.calendar(self.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthClosing(Entity):
    """That a month has ended for a campaign. `awarded` counts the places of its snapshot whose
    rewards have been given; `settled_at` (ms) says when all of them had."""

    TYPE: ClassVar[str] = "MonthClosing"

    campaign_id: str
    month: int
    version: int = 0
    closed_at: int
    awarded: int = 0
    settled_at: int | None = None
    due_shard: str | None = None
    due_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.month_closing(self.campaign_id, self.month)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthSnapshot(Entity):
    """The best of a month, by rank from 1, with their counts; never changed. `winners` says for
    each monthly leaderboard reward how many of them win it."""

    TYPE: ClassVar[str] = "MonthSnapshot"

    campaign_id: str
    month: int
    taken_at: int
    participant_ids: tuple[str, ...]
    counts: tuple[int, ...]
    winners: dict[str, int] = as_json()

    @property
    def key(self) -> Key:
        return keys.month_snapshot(self.campaign_id, self.month)
