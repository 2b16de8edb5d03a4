"""A player's entry on the board of a day, a week or a month, made from the player's state.

It is of the last period of its kind in which the player had an event: the next one's overwrites it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import player_keys, store
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.points_board import Period, PointsBoard, board_entry, position
from grapevine.table.writes import ABSENT, absent_or_below, reached_at


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerPeriod(Entity):
    """`reached_at` (ms) tells versions apart: each change of a player's points has a later one. The
    entry goes away by its `expires_at` (seconds), some days after the period's end."""

    TYPE: ClassVar[str] = "PlayerPeriod"

    campaign_id: str
    user_id: str
    period: Period
    number: int
    points: int
    reached_at: int
    expires_at: int

    @property
    def key(self) -> Key:
        return player_keys.player_period(self.campaign_id, self.user_id, self.period)

    @property
    def board(self) -> PointsBoard:
        return PointsBoard(self.campaign_id, self.period, self.number)

    @property
    def position(self) -> int:
        return position(self.points, self.reached_at)

    def index_attributes(self) -> Item:
        return board_entry(self.board, self.points, self.reached_at)


def put_if_newer(entry: PlayerPeriod) -> bool:
    """Whether it was written: not so where one as new is there."""
    return store.put(entry.to_item(), absent_or_below("reachedAt", entry.reached_at))


def put_if_unchanged(entry: PlayerPeriod, found: Item | None) -> bool:
    """Whether it was written: not so where another one is there than was read."""
    return store.put(entry.to_item(), reached_at(found["reachedAt"]) if found else ABSENT)
