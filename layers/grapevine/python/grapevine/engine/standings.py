"""Ranks: exact and unique. More referrals first, then the earlier joiner.

A participant's own counts come from its standing, so its own newest credit always counts; the
others' come from the boards' indexes. Answering reads whole boards: exact at any size, and its
cost grows with the campaign.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grapevine.table import standings
from grapevine.table.standings import Place, Standing

NO_RANK = -1
"""The previous month's rank of somebody who was not there yet (growsurf)."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """From 1; `prev_monthly_rank` may be NO_RANK."""

    rank: int
    monthly_rank: int
    prev_monthly_rank: int


class _Board:
    """One month's or the all-time order, over everybody who is alive."""

    def __init__(self, everyone: Sequence[Place], scored: Sequence[Place]) -> None:
        self._scores = {place.participant_id: place for place in scored}
        self._order = sorted((-place.count, place.join_sequence) for place in scored)
        self._scored_joins = sorted(place.join_sequence for place in scored)
        self._joins = sorted(place.join_sequence for place in everyone)

    def rank(self, standing: Standing, count: int) -> int:
        """One more than those ahead, counting the others as the board has them."""
        indexed = self._scores.get(standing.participant_id)
        joined = standing.join_sequence
        if count:
            mine = (-count, joined)
            ahead = bisect_left(self._order, mine)
            if indexed and (-indexed.count, joined) < mine:
                ahead -= 1
            return ahead + 1
        scored = len(self._order)
        zeros_before = bisect_left(self._joins, joined) - bisect_left(self._scored_joins, joined)
        return scored - (1 if indexed else 0) + zeros_before + 1


class Boards:
    """The three orders that a participant has a rank in, as of one read of the indexes."""

    def __init__(
        self, month: int, all_time: list[Place], this_month: list[Place], prev_month: list[Place]
    ) -> None:
        self._month = month
        self._all_time = _Board(all_time, [place for place in all_time if place.count])
        self._this_month = _Board(all_time, this_month)
        self._prev_month = _Board(all_time, prev_month)

    def ranks(self, standing: Standing) -> Ranks:
        previous = self._month - 1
        return Ranks(
            rank=self._all_time.rank(standing, standing.referral_count),
            monthly_rank=self._this_month.rank(standing, standing.count_in(self._month)),
            prev_monthly_rank=NO_RANK
            if standing.joined_month > previous
            else self._prev_month.rank(standing, standing.count_in(previous)),
        )


def board_reads(campaign_id: str, month: int) -> list[Callable[[], list[Place]]]:
    """The three reads that `Boards` is made of, to be made at the same time as others."""
    return [
        lambda: standings.all_time_places(campaign_id),
        lambda: standings.month_places(campaign_id, month),
        lambda: standings.month_places(campaign_id, month - 1),
    ]
