"""What the index stores everywhere: numbers on boards, and the few operations on them.

A board is one order of a campaign: all time, or a month by its number (as in `grapevine.months`).
Two more boards hold what is known of the participants themselves: who is alive, and the version of
the standing that the index has seen last. What a position on a board means depends on the item:
a participant of a block, a child of a node, a score of a histogram. Zero is never stored.
"""

from __future__ import annotations

from collections.abc import Mapping

Boards = dict[int, dict[int, int]]
"""Board -> position -> number."""

ALIVE = 0
"""1 for each living participant."""

ALL_TIME = 1

VERSIONS = 2
"""The version of the standing that is counted, where it is not 0."""

FIRST_MONTH = 1000
"""From here on boards are months; a month of our era is far beyond."""


def is_month(board: int) -> bool:
    return board >= FIRST_MONTH


def laid_over(boards: Mapping[int, Mapping[int, int]], values: Boards) -> Boards:
    """`boards` with `values` in their places; a zero empties its place."""
    result: Boards = {board: dict(entries) for board, entries in boards.items()}
    for board, entries in values.items():
        kept = result.setdefault(board, {})
        for position, value in entries.items():
            if value:
                kept[position] = value
            else:
                kept.pop(position, None)
    return {board: entries for board, entries in result.items() if entries}


def values_at(boards: Boards, places: Boards) -> Boards:
    """What `boards` has in the places that `places` names, zeros included."""
    return {
        board: {position: boards.get(board, {}).get(position, 0) for position in entries}
        for board, entries in places.items()
    }


def added_up(boards: Boards, differences: Boards) -> Boards:
    """The new values of the places that `differences` names."""
    return {
        board: {
            position: boards.get(board, {}).get(position, 0) + difference
            for position, difference in entries.items()
        }
        for board, entries in differences.items()
    }


def since(boards: Boards, month: int) -> Boards:
    """Without the months before `month`."""
    return {
        board: entries for board, entries in boards.items() if not is_month(board) or board >= month
    }
