"""The board of a campaign's players: more points first, then whoever has had as many for longer.

A place is one number, `points * 10^16 + (10^16 - 1 - reachedAt)`. Two who reached the same total
in the same millisecond have the same place, and stand in the order of their user ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grapevine.table import player_keys, store
from grapevine.table.attributes import Item
from grapevine.table.store import Index

_UNIT = 10**16

_BOARD = Index("allTimeBoard", "allTimeBoard", "allTimePosition")
"""The index that participants' boards are in as well, each under its own name."""


def position(points: int, reached_at: int) -> int:
    return points * _UNIT + (_UNIT - 1 - reached_at)


def board_entry(campaign_id: str, points: int, reached_at: int) -> Item:
    return {
        "allTimeBoard": player_keys.points_board(campaign_id),
        "allTimePosition": position(points, reached_at),
    }


@dataclass(frozen=True, slots=True)
class Ranked:
    """One player's entry on the board."""

    user_id: str
    position: int


def best_players(campaign_id: str, limit: int) -> list[Ranked]:
    """The first of the board in order, and all who share the last one's place: `limit` or more. A
    moment behind."""
    board = player_keys.points_board(campaign_id)
    first = store.query(_BOARD, board, descending=True, limit=limit)
    if len(first) == limit:
        last = first[-1]["allTimePosition"]
        tied = store.query(_BOARD, board, between=(last, last))
        first = [item for item in first if item["allTimePosition"] != last] + tied
    return _in_order(first)


def players_around(campaign_id: str, at: int, count: int) -> tuple[list[Ranked], list[Ranked]]:
    """The `count` nearest before a position and the `count` nearest behind it, each in order."""
    board = player_keys.points_board(campaign_id)
    before = store.query(_BOARD, board, between=(at + 1, 10**38 - 1), limit=count)
    behind = store.query(_BOARD, board, descending=True, limit=count, at_most=at - 1)
    return _in_order(before), _in_order(behind)


def _in_order(items: Sequence[Item]) -> list[Ranked]:
    ranked = [
        Ranked(player_keys.user_in(item["partition"]), item["allTimePosition"]) for item in items
    ]
    return sorted(ranked, key=lambda one: (-one.position, one.user_id))
