"""Who was best in a month that is over: exact, from the board or, when it is late, from the facts.

While the following month lasts, the month's counts stand in their slots. From then on a credit may
overwrite the slot of the one who gets it, and whoever's slot is gone is counted by the referrals.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import partial

from grapevine import runtime
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.parallel import in_parallel
from grapevine.months import month_at, start_of
from grapevine.table import keys, referrals, standings, store
from grapevine.table.standings import Place, Standing

_AT_ONCE = 1000


def best_of(campaign_id: str, month: int, most: int) -> list[Place]:
    """The `most` best participants with a credit in `month`, without those deleted since."""
    if not _is_late(month):
        best = _by_board(campaign_id, month, most)
        # A slot may have been overwritten while the board was read.
        if not _is_late(month):
            return best
    return _by_facts(campaign_id, month, most)


def _is_late(month: int) -> bool:
    return month_at(runtime.now_ms() + IN_FLIGHT_MS) >= month + 2


def _by_board(campaign_id: str, month: int, most: int) -> list[Place]:
    """The index only proposes: counts are read from the standings. Of a month that is over they
    can only have gone down since, so nobody below the page that was read is ahead of its last."""
    best: list[Place] = []
    last: int | None = None
    while True:
        page = standings.month_places(campaign_id, month, limit=most, from_position=last)
        best = _first(most, [*best, *_counted(campaign_id, page, month)])
        if len(page) < most:
            return best
        if len(best) == most and best[-1].position >= page[-1].position:
            return best
        last = page[-1].position - 1


def _by_facts(campaign_id: str, month: int, most: int) -> list[Place]:
    """Looks at everybody who has a referral at all."""
    best: list[Place] = []
    last: int | None = None
    while True:
        page = standings.all_time_places(campaign_id, limit=_AT_ONCE, from_position=last)
        referrers = [place for place in page if place.count]
        best = _first(most, [*best, *_counted(campaign_id, referrers, month)])
        if len(referrers) < _AT_ONCE:
            return best
        last = page[-1].position - 1


def _first(most: int, places: Sequence[Place]) -> list[Place]:
    return heapq.nlargest(most, places, key=lambda place: place.position)


def _counted(campaign_id: str, proposed: Sequence[Place], month: int) -> list[Place]:
    """The proposed participants who are alive and have a credit in the month, as they stand."""
    found = store.get_many(keys.standing(campaign_id, place.participant_id) for place in proposed)
    living = [one for one in map(Standing.from_item, found.values()) if one.deleted_at is None]
    counts = in_parallel([partial(_count, standing, month) for standing in living])
    return [
        Place(standing.participant_id, count, standing.join_sequence)
        for standing, count in zip(living, counts, strict=True)
        if count
    ]


def _count(standing: Standing, month: int) -> int:
    if standing.keeps(month):
        return standing.count_in(month)
    return referrals.credited_between(
        standing.campaign_id, standing.participant_id, start_of(month), start_of(month + 1)
    )
