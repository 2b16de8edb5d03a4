"""Which campaigns of an account take the events that name none."""

from __future__ import annotations

from grapevine import runtime
from grapevine.engine.access import CAMPAIGN_CACHE_MS
from grapevine.engine.mechanics.campaign import Played
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
    """Those that are in progress and have the source among the `sources` of their mechanics, by
    their ids, for an event of that time (ms).

    An event that no campaign takes is lost. So what was read before the event came serves for
    `KEPT_MS` only, and what was read after it up to `CAMPAIGN_CACHE_MS`; else it is one Query and
    one BatchGetItem."""
    place, now = f"listening:{account_id}", runtime.now_ms()
    kept: tuple[int, list[Played]] | None = runtime.current().cache.get(place)
    if kept is None or not 0 <= now - kept[0] < _serves_for(kept[0], at):
        kept = now, _in_progress(account_id)
        runtime.current().cache[place] = kept
    return [one for one in kept[1] if source in one.configuration.sources]


def _serves_for(read_at: int, at: int) -> int:
    return CAMPAIGN_CACHE_MS if at + CLOCKS_MS < read_at else KEPT_MS


def _in_progress(account_id: str) -> list[Played]:
    ids = sorted(ids_of_account(account_id))
    of_mechanics = [mechanics_keys.mechanics(one) for one in ids]
    found = store.get_many([*map(keys.campaign, ids), *of_mechanics])
    both = [
        (found.get(keys.campaign(one)), found.get(mechanics_keys.mechanics(one))) for one in ids
    ]
    return [
        _played(Campaign.from_item(campaign), Mechanics.from_item(mechanics))
        for campaign, mechanics in both
        if campaign and mechanics and Campaign.from_item(campaign).is_in_progress
    ]


def _played(campaign: Campaign, mechanics: Mechanics) -> Played:
    return Played(campaign, mechanics, parse(mechanics.configuration))
