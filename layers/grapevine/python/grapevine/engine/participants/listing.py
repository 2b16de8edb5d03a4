"""Pages of a campaign's participants: newest first, or those with given metadata by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grapevine.engine.participants.lookup import Participant, participant_in, participant_keys
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign
from grapevine.table.participants import hash_of_pair, ids_with
from grapevine.table.standings import Standing

MOST_CANDIDATES = 500


@dataclass(frozen=True, slots=True)
class Page:
    """`next_id` is the first participant of the next page, None on the last one."""

    participants: list[Participant]
    next_id: str | None


def page(
    campaign: Campaign, metadata: Mapping[str, str] | None, limit: int, next_id: str | None
) -> Page:
    """All participants, or those with the given metadata."""
    if metadata:
        return with_metadata(campaign, metadata, limit, next_id)
    return newest_first(campaign, limit, next_id)


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
    following = listed[limit] if len(listed) > limit else None
    return Page(rows_of(campaign_id, listed[:limit]), following)


def with_metadata(
    campaign: Campaign, wanted: Mapping[str, str], limit: int, next_id: str | None
) -> Page:
    """The page, in order of ids, of participants whose metadata has all the wanted values.

    `wanted` maps stored keys to values as text. With several values a page may be shorter than
    `limit` although there are more: it says so by its `next_id`. One request looks at no more than
    `MOST_CANDIDATES` participants who have the first value.
    """
    if next_id is not None and not keys.is_id(next_id):
        return Page([], None)
    campaign_id = campaign.campaign_id
    first, *others = [hash_of_pair(key, text) for key, text in wanted.items()]
    candidates = limit if not others else MOST_CANDIDATES
    listed = ids_with(campaign_id, first, candidates + 1, from_id=next_id)
    matching = _with_all(campaign_id, others, listed[:candidates])
    following = listed[candidates] if len(listed) > candidates else None
    if len(matching) > limit:
        following = matching[limit]
    return Page(rows_of(campaign_id, matching[:limit]), following)


def _with_all(campaign_id: str, pair_hashes: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Those of the participants who have every one of the other values, too."""
    entries = {
        (one, pair_hash): keys.metadata_entry(campaign_id, pair_hash, one)
        for one in ids
        for pair_hash in pair_hashes
    }
    found = store.get_many(entries.values())
    return [one for one in ids if all(entries[one, pair] in found for pair in pair_hashes)]


def rows_of(campaign_id: str, ids: Sequence[str]) -> list[Participant]:
    """The participants, without those who have been deleted in the meantime."""
    found = store.get_many(key for one in ids for key in participant_keys(campaign_id, one))
    rows = [participant_in(found, campaign_id, one) for one in ids]
    return [row for row in rows if row is not None]
