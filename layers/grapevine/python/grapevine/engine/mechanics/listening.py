"""Which campaigns of an account take the events that name none."""

from __future__ import annotations

from grapevine import runtime
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.campaign import Played, takes_late
from grapevine.engine.mechanics.configuration import parse
from grapevine.table import keys, mechanics_keys, store
from grapevine.table.campaigns import Campaign, ids_of_account
from grapevine.table.ledger import Source
from grapevine.table.mechanics import Mechanics

KEPT_MS = 1000
"""For how long what was read serves all events, also those that came after it was read."""

CLOCKS_MS = 1000
"""How far the clock that an event was accepted by may be ahead of this container's."""


def listening(account_id: str, source: Source, at: int) -> list[Played]:
    """Those that take an event that was accepted at that time (ms), and have the source among
    the `sources` of their mechanics, by their ids.

    An event that no campaign takes is lost. So what was read before the event came serves for
    `KEPT_MS` only, and what was read after it up to `CAMPAIGN_CACHE_MS`; else it is one Query, one
    BatchGetItem of all campaigns and one of the mechanics of those that take events."""
    place, now = f"listening:{account_id}", runtime.now_ms()
    kept: tuple[int, list[Played]] | None = runtime.current().cache.get(place)
    if kept is None or not 0 <= now - kept[0] < _serves_for(kept[0], at):
        kept = now, _open(account_id)
        runtime.current().cache[place] = kept
    return [
        one
        for one in kept[1]
        if source in one.configuration.sources
        and (one.campaign.is_in_progress or takes_late(one.campaign, at))
    ]


def _serves_for(read_at: int, at: int) -> int:
    return CAMPAIGN_CACHE_MS if at + CLOCKS_MS < read_at else KEPT_MS


def _open(account_id: str) -> list[Played]:
    """Those in progress, and those that have ended just now."""
    found = store.get_many(map(keys.campaign, sorted(ids_of_account(account_id))))
    campaigns = [
        campaign
        for campaign in map(Campaign.from_item, found.values())
        if campaign.is_in_progress or takes_late(campaign, 0)
    ]
    of_mechanics = {mechanics_keys.mechanics(one.campaign_id): one for one in campaigns}
    mechanics = store.get_many(of_mechanics) if of_mechanics else {}
    return [
        _played(campaign, Mechanics.from_item(mechanics[key]))
        for key, campaign in sorted(of_mechanics.items())
        if key in mechanics
    ]


def _played(campaign: Campaign, mechanics: Mechanics) -> Played:
    return Played(campaign, mechanics, parse(mechanics.configuration))
