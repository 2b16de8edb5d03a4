"""Where a player stands on a board of points."""

from __future__ import annotations

from typing import NamedTuple

from grapevine.engine.ranks.boards import Boards
from grapevine.engine.ranks.points.trie import SHAPE
from grapevine.table import points_board
from grapevine.table.player_keys import is_user_id
from grapevine.table.players import Player
from grapevine.table.points_board import UNIT, position

ALL_TIME = points_board.ALL_TIME
"""The board of all points that players have ever had."""


class Place(NamedTuple):
    """`position` is that of `table/points_board.py`, greater is better; `version` is the one of the
    state that it was taken from. A player who has left a position never comes back to it: each
    change of the points has a later time."""

    user_id: str
    version: int
    position: int


def place_of(player: Player) -> Place:
    """On the board of all time."""
    own = position(player.total_points, player.reached_at)
    return Place(player.user_id, player.version, own)


def checked(place: Place) -> Place:
    """The place, if it can be counted: a prepared batch is carried out by whoever finds it, so
    nothing impossible may get into one.

    Raises:
        ValueError
    """
    kinds = zip(place, (str, int, int), strict=True)
    if not all(isinstance(value, kind) for value, kind in kinds):
        raise ValueError("a place of something else than text and numbers")
    points, backwards = divmod(place.position, UNIT)
    reached_at = UNIT - 1 - backwards
    if place.version < 0 or points < 0 or reached_at >= SHAPE.moments:
        raise ValueError("a place that nobody can have")
    if not is_user_id(place.user_id):
        raise ValueError("a place of nobody")
    return place


_COUNTED, _VERSION, _POSITION = 0, 0, 1


class Counted(NamedTuple):
    """What an index counts of a player; position 0, which nobody has, is nothing."""

    version: int
    position: int

    @classmethod
    def of(cls, boards: Boards) -> Counted:
        numbers = boards.get(_COUNTED, {})
        return Counted(numbers.get(_VERSION, 0), numbers.get(_POSITION, 0))

    def boards(self) -> Boards:
        return {_COUNTED: {_VERSION: self.version, _POSITION: self.position}}

    def is_behind(self, place: Place) -> bool:
        """A later version at the same position is no news: see `Place`."""
        is_older = not self.position or place.version > self.version
        return is_older and place.position != self.position
