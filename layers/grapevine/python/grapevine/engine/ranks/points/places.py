"""Where a player stands on a board of points."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """`position` is that of `table/points_board.py`, greater is better; `version` is the one of the
    state that it was taken from. A player who has left a position never comes back to it: each
    change of the points has a later time."""

    user_id: str
    version: int
    position: int
