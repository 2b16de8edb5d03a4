"""Where the items of a campaign's rank index live."""

from __future__ import annotations

import zlib

from grapevine.table import keys
from grapevine.table.keys import Key

RANK_SHARDS = 16
"""Partitions that the items of a campaign's rank index are spread over."""


def rank_head(campaign_id: str) -> Key:
    """Not with the campaign, which every request reads: a partition has only so much to give."""
    return Key(f"{keys.campaign(campaign_id).partition}#RANKS", "HEAD")


def rank_journal(campaign_id: str, generation: int) -> Key:
    return _rank_item(campaign_id, generation, "JOURNAL")


def rank_block(campaign_id: str, generation: int, number: int) -> Key:
    return _rank_item(campaign_id, generation, f"BLOCK#{number:010d}")


def rank_node(campaign_id: str, generation: int, score: int, level: int, number: int) -> Key:
    return _rank_item(campaign_id, generation, f"NODE#{score:010d}#{level}#{number:010d}")


def rank_partitions(campaign_id: str, generation: int) -> list[str]:
    """All partitions that hold a generation of the index."""
    return [_rank_partition(campaign_id, generation, shard) for shard in range(RANK_SHARDS)]


def _rank_item(campaign_id: str, generation: int, name: str) -> Key:
    shard = zlib.crc32(name.encode()) % RANK_SHARDS
    return Key(_rank_partition(campaign_id, generation, shard), name)


def _rank_partition(campaign_id: str, generation: int, shard: int) -> str:
    return f"{keys.campaign(campaign_id).partition}#RANKS#{generation}#{shard}"
