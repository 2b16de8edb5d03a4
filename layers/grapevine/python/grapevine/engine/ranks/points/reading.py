"""How many stand before a player on a board of points."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from grapevine.engine.ranks.points.places import Place


class Ahead(NamedTuple):
    """How many others have a better position, and how many the very same: those stand in the order
    of their user ids, which only `points_board.players_at` knows."""

    better: int
    equal: int


def ahead_of(campaign_id: str, board: str, place: Place, *, without: Collection[str] = ()) -> Ahead:
    """As of one published batch, some users aside. What the index has of the player itself is left
    out.

    Raises:
        Busy
    """
    raise NotImplementedError
