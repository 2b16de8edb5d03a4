"""What has happened, newest first: a player's ledger, wins and awards, and all wins of a campaign.

A row comes with its place, from which on the list can be read again: nothing is ever put in before
it but what is newer.
"""

from __future__ import annotations

from grapevine.table import mechanics_keys, places, player_keys, store
from grapevine.table.keys import Key
from grapevine.table.ledger import LedgerLine, MilestoneAward, Win
from grapevine.table.referral_lists import CAMPAIGN_BY_CREATED

LAST_AT = 10**15 - 1


def ledger_of(
    campaign_id: str, user_id: str, place: str | None, limit: int
) -> list[tuple[str, LedgerLine]]:
    """A player's lines from a place on (strongly consistent). Raises ValueError for no place."""
    items = store.query(
        None,
        player_keys.player(campaign_id, user_id).partition,
        descending=True,
        limit=limit,
        between=_from(player_keys.LEDGER_PREFIX, place),
    )
    return [(player_keys.place_of(each["sort"]), LedgerLine.from_item(each)) for each in items]


def wins_of(campaign_id: str, user_id: str, place: str | None, limit: int) -> list[tuple[str, Win]]:
    """A player's wins from a place on (strongly consistent). Raises ValueError for no place."""
    items = store.query(
        None,
        player_keys.player(campaign_id, user_id).partition,
        descending=True,
        limit=limit,
        between=_from(player_keys.WIN_PREFIX, place),
    )
    return [(player_keys.place_of(each["sort"]), Win.from_item(each)) for each in items]


def last_award_of(campaign_id: str, user_id: str, milestone_id: str) -> MilestoneAward | None:
    """How often a player has reached a milestone, whatever is remembered of it (strongly
    consistent)."""
    partition, prefix = player_keys.milestone_awards(campaign_id, user_id, milestone_id)
    items = store.query(None, partition, prefix=prefix, descending=True, limit=1)
    return MilestoneAward.from_item(items[0]) if items else None


def wins_in(
    campaign_id: str, first_at: int, last_at: int, place: str | None, limit: int
) -> list[tuple[str, Win]]:
    """The campaign's wins between two times (ms, both included), from a place on. A moment behind.
    Raises ValueError for no place."""
    last = places.last_created(last_at)
    if place is not None:
        last = min(last, player_keys.sort_at("", place))
    entries = store.query(
        CAMPAIGN_BY_CREATED,
        mechanics_keys.win_list(campaign_id),
        descending=True,
        limit=limit,
        between=(places.first_created(first_at), last),
    )
    keys = [Key(each["partition"], each["sort"]) for each in entries]
    items = store.get_many(keys)
    return [(player_keys.place_of(key.sort), Win.from_item(items[key])) for key in keys]


def lines_of_event(campaign_id: str, user_id: str, event_id: str, at: int) -> list[LedgerLine]:
    """What an event that counts as done at `at` has changed, in order (strongly consistent)."""
    first, last = player_keys.lines_of_event(at, event_id)
    partition = player_keys.player(campaign_id, user_id).partition
    return [
        LedgerLine.from_item(each) for each in store.query(None, partition, between=(first, last))
    ]


def _from(prefix: str, place: str | None) -> tuple[str, str]:
    """The range of sort keys up to that place, or up to the newest."""
    if place is None:
        return prefix, player_keys.last_with(prefix)
    return prefix, player_keys.sort_at(prefix, place)
