"""Pages of a campaign's participants, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine.engine.participants.lookup import Participant, participant_in, participant_keys
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign
from grapevine.table.standings import Standing


@dataclass(frozen=True, slots=True)
class Page:
    """`next_id` is the first participant of the next page, None on the last one."""

    participants: list[Participant]
    next_id: str | None


def newest_first(campaign: Campaign, limit: int, next_id: str | None) -> Page:
    """The page that begins with `next_id`, or the first one.

    The cursor is a place in join order, so it keeps working when its participant is deleted
    meanwhile. An id that nobody ever had gives an empty page.
    """
    campaign_id = campaign.campaign_id
    from_sequence = None
    if next_id is not None:
        item = store.get(keys.standing(campaign_id, next_id)) if keys.is_id(next_id) else None
        if item is None:
            return Page([], None)
        from_sequence = Standing.from_item(item).join_sequence
    listed = standings.newest_first(campaign_id, limit + 1, from_sequence=from_sequence)
    found = store.get_many(
        key for one in listed[:limit] for key in participant_keys(campaign_id, one)
    )
    rows = [participant_in(found, campaign_id, one) for one in listed[:limit]]
    following = listed[limit] if len(listed) > limit else None
    return Page([row for row in rows if row is not None], following)
