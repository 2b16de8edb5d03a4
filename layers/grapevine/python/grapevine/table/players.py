"""A player of a campaign: the state that every event of one user reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from grapevine.table import player_keys
from grapevine.table.attributes import Item
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key
from grapevine.table.points_board import PointsBoard, board_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Player(Entity):
    """`total_points` is the sum of the player's ledger lines, always: both are written in one
    transaction. `reached_at` (ms) is when the total became what it is, `last_at` when the
    last event was. `counters` is read and written by `engine/mechanics/counters.py`, which says
    what bounds it."""

    TYPE: ClassVar[str] = "Player"

    campaign_id: str
    user_id: str
    version: int = 0
    total_points: int = 0
    events_count: int = 0
    joined_at: int
    reached_at: int
    last_at: int = 0
    display_name: str | None = None
    participant_id: str | None = None
    counters: dict[str, Any] = as_json()

    @property
    def key(self) -> Key:
        return player_keys.player(self.campaign_id, self.user_id)

    def next_at(self, at: int) -> int:
        """When what happens at `at` (ms) counts as done: later than what came last.

        Events that come at once, or late, are written in an order that their clocks do not know. By
        this one the ledger's balances follow each other, no two events share a millisecond of it,
        and none is counted in a day, or against a cooldown, that a later one has left behind."""
        return max(at, self.last_at + 1, self.reached_at + 1)

    def index_attributes(self) -> Item:
        board = PointsBoard(self.campaign_id)
        return board_entry(board, self.total_points, self.reached_at)


def new_player(campaign_id: str, user_id: str, at: int) -> Player:
    """A player before the first event, which joins with it at `at` (ms)."""
    return Player(campaign_id=campaign_id, user_id=user_id, joined_at=at, reached_at=at)
