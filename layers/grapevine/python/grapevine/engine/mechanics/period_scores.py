"""What a player has earned in the periods of which boards are kept: a part of `Player.counters`.

Of each kind of period the last one is kept in which the player had an event. Points are counted of
what is written while the board is configured; what was counted stays when it is configured no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from grapevine.engine.mechanics.counters import BOARDS, PERIODS, Counters
from grapevine.engine.mechanics.periods import Periods
from grapevine.table.points_board import Period


class PeriodScore(NamedTuple):
    """`reached_at` (ms) is when the points became what they are; each change has a later one."""

    number: int
    points: int
    reached_at: int
    events: int


CountedIn = dict[str, int]
"""The kinds of period that an event was counted in, with the number of each."""


def score_of(counted: Mapping[str, Any], period: Period) -> PeriodScore | None:
    """Of `Player.counters`: the last one of this kind."""
    found = counted.get(BOARDS, {}).get(period)
    return PeriodScore(*found) if found else None


def count_event(
    counters: Counters, kept: Iterable[Period], periods: Periods, points: int, at: int
) -> CountedIn:
    """Counts an event at `at` (ms) that gave these points. Who has had an event is on the board,
    whatever it gave."""
    counted_in: CountedIn = {}
    for period in kept:
        number = periods.number(period)
        found = counters.boards.get(period)
        before = PeriodScore(*found) if found else None
        if before is None or before.number != number:
            after = PeriodScore(number, points, at, 1)
        else:
            reached_at = at if points else before.reached_at
            after = PeriodScore(number, before.points + points, reached_at, before.events + 1)
        counters.boards[period] = list(after)
        counted_in[period] = number
    return counted_in


def without_points(
    counted: Mapping[str, Any], counted_in: CountedIn, periods: Periods, points: int, at: int
) -> dict[str, Any]:
    """`Player.counters` after an event's points were taken back at `at` (ms): a period loses them
    if the event was counted in it and it is not over. So none goes below zero, and one that is over
    stays as it ended."""
    boards = dict(counted.get(BOARDS, {}))
    for period in _still_in(boards, counted_in, periods) if points else ():
        before = PeriodScore(*boards[period])
        boards[period] = list(before._replace(points=before.points - points, reached_at=at))
    return {**counted, BOARDS: boards} if boards else dict(counted)


def _still_in(
    boards: Mapping[str, list[int]], counted_in: CountedIn, periods: Periods
) -> list[Period]:
    return [
        period
        for period in PERIODS
        if period in boards
        and boards[period][0] == counted_in.get(period) == periods.number(period)
    ]
