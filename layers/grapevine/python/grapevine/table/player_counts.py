"""How many players a campaign has: counted with each first event, in parts, so that newcomers do
not wait for each other."""

from __future__ import annotations

import zlib

from grapevine.table import mechanics_keys, store
from grapevine.table.writes import Add

_PARTS = 16


def one_more_player(campaign_id: str, user_id: str) -> Add:
    part = zlib.crc32(user_id.encode()) % _PARTS
    return Add(mechanics_keys.player_count(campaign_id, part), "PlayerCount", {"players": 1})


def players_of(campaign_id: str) -> int:
    """All who have ever had an event or been linked (strongly consistent)."""
    parts = [mechanics_keys.player_count(campaign_id, part) for part in range(_PARTS)]
    return sum(item["players"] for item in store.get_many(parts).values())
