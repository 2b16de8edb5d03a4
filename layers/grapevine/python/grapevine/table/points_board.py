"""The boards of a campaign's players: more points first, then whoever has had as many for longer.

A place is one number, `points * 10^16 + (10^16 - 1 - reachedAt)`. Two who reached the same total
in the same millisecond have the same place, and stand in the order of their user ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grapevine.table import player_keys, store
from grapevine.table.attributes import Item
from grapevine.table.store import Index

Period = Literal["day", "week", "month"]

ALL_TIME = "all"
"""The name of the board of all time."""

UNIT = 10**16
"""What a point is worth in a position."""

_BOARD = Index("allTimeBoard", "allTimeBoard", "allTimePosition")
"""The index that participants' boards are in as well, each under its own name."""


@dataclass(frozen=True, slots=True)
class PointsBoard:
    """The board of all time, or with a `period` that of one day, week or month."""

    campaign_id: str
    period: Period | None = None
    number: int = 0

    @property
    def name(self) -> str:
        """What the index of ranks knows it by."""
        return f"{self.period}{self.number}" if self.period else ALL_TIME

    @property
    def partition(self) -> str:
        if self.period is None:
            return player_keys.points_board(self.campaign_id)
        return player_keys.period_board(self.campaign_id, self.period, self.number)


def position(points: int, reached_at: int) -> int:
    return points * UNIT + (UNIT - 1 - reached_at)


def board_entry(board: PointsBoard, points: int, reached_at: int) -> Item:
    return {
        "allTimeBoard": board.partition,
        "allTimePosition": position(points, reached_at),
    }


_HIGHEST = 10**38 - 1


@dataclass(frozen=True, slots=True)
class Ranked:
    """One player's entry on the board."""

    user_id: str
    position: int

    @property
    def points(self) -> int:
        """The total that the entry stands for."""
        return self.position // UNIT

    @property
    def order(self) -> tuple[int, str]:
        """Less is better; no two players have the same."""
        return -self.position, self.user_id


def best_players(board: PointsBoard, limit: int) -> list[Ranked]:
    """The first of the board in order, and all who share the last one's place: `limit` or more. A
    moment behind."""
    return _first_of(board.partition, limit, descending=True)


def players_around(board: PointsBoard, at: int, limit: int) -> list[Ranked]:
    """In order: those next to a position on either side, `limit` or more each if there are as
    many, and all who have that position. A moment behind."""
    before = _first_of(board.partition, limit, between=(at + 1, _HIGHEST))
    behind = _first_of(board.partition, limit, descending=True, at_most=at - 1)
    return before + players_at(board, at) + behind


def every_player(campaign_id: str, limit: int, *, descending: bool) -> Iterator[list[Ranked]]:
    """All of the campaign, `limit` or more at a time, from the most points or from the fewest. A
    moment behind; who moves on the board meanwhile may come twice, or be left out where it moves
    against the reading."""
    board = player_keys.points_board(campaign_id)
    page = _first_of(board, limit, descending=descending)
    while page:
        yield page
        if descending:
            page = _first_of(board, limit, descending=True, at_most=page[-1].position - 1)
        else:
            page = _first_of(board, limit, between=(page[0].position + 1, _HIGHEST))


def players_at(board: PointsBoard, at: int) -> list[Ranked]:
    """All who have a position, in order. A moment behind."""
    return _in_order(store.query(_BOARD, board.partition, between=(at, at)))


def _first_of(board: str, limit: int, **which: Any) -> list[Ranked]:
    """With all who share the last one's place: the index has no order among them."""
    found = store.query(_BOARD, board, limit=limit, **which)
    if len(found) == limit:
        last = found[-1]["allTimePosition"]
        tied = store.query(_BOARD, board, between=(last, last))
        found = [item for item in found if item["allTimePosition"] != last] + tied
    return _in_order(found)


def _in_order(items: Sequence[Item]) -> list[Ranked]:
    ranked = [
        Ranked(player_keys.user_in(item["partition"]), item["allTimePosition"]) for item in items
    ]
    return sorted(ranked, key=lambda one: one.order)
