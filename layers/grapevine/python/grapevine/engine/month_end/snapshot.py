"""Reading a month that has been closed: pages of its best, with the people as they are now."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine.engine.participants.lookup import Participant, participant_in, participant_keys
from grapevine.errors import InvalidRequest, NotFound, Problem
from grapevine.months import month_named
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.month_end import MonthSnapshot


@dataclass(frozen=True, slots=True)
class FinalPlace:
    """A rank, from 1, and the count that it was reached with."""

    rank: int
    count: int
    participant: Participant


@dataclass(frozen=True, slots=True)
class MonthPage:
    """`next_id` is the first participant of the next page, None on the last one."""

    places: list[FinalPlace]
    next_id: str | None


def page(campaign: Campaign, named: str, limit: int, next_id: str | None) -> MonthPage:
    """The page of the month (as `2026-11`) that begins with `next_id`, or the first one. Whoever
    has been deleted since is left out, and the others keep their ranks. An id that is not in the
    snapshot gives an empty page.

    Raises:
        InvalidRequest: not a month.
        NotFound: the month has not been closed.
    """
    month = month_named(named)
    if month is None:
        message = "A month is written like 2026-11."
        raise InvalidRequest(message, Problem("path", "month", "month", message, named))
    item = store.get(keys.month_snapshot(campaign.campaign_id, month))
    if item is None:
        raise NotFound("This month has not been closed for this campaign.")
    snapshot = MonthSnapshot.from_item(item)
    ids = snapshot.participant_ids
    if next_id is not None and next_id not in ids:
        return MonthPage([], None)
    start = ids.index(next_id) if next_id is not None else 0
    end = start + limit
    return MonthPage(_places(snapshot, start, end), ids[end] if end < len(ids) else None)


def _places(snapshot: MonthSnapshot, start: int, end: int) -> list[FinalPlace]:
    campaign_id = snapshot.campaign_id
    listed = snapshot.participant_ids[start:end]
    found = store.get_many(key for one in listed for key in participant_keys(campaign_id, one))
    return [
        FinalPlace(rank, snapshot.counts[rank - 1], participant)
        for rank, one in enumerate(listed, start=start + 1)
        if (participant := participant_in(found, campaign_id, one)) is not None
    ]
