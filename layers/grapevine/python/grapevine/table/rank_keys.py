"""Where the items of a campaign's rank indexes live: that of referrals, and one for each board of
points."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from grapevine.table import keys, player_keys
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


def points_head(campaign_id: str, board: str) -> Key:
    return Key(_points(campaign_id, board), "HEAD")


def points_draft(campaign_id: str, board: str, generation: int) -> Key:
    """The head of a generation that does not count yet."""
    return Key(_points(campaign_id, board), f"DRAFT#{generation:06d}")


def points_journal(campaign_id: str, board: str, generation: int) -> Key:
    return _points_item(campaign_id, board, generation, "JOURNAL")


def points_node(campaign_id: str, board: str, generation: int, digits: Sequence[int]) -> Key:
    name = ".".join(map(str, digits))
    return _points_item(campaign_id, board, generation, f"NODE#{name}")


def points_counted(campaign_id: str, board: str, generation: int, user_id: str) -> Key:
    """With the player: what a board's index counts of it."""
    partition = player_keys.player(campaign_id, user_id).partition
    return Key(partition, f"RANKED#{_board(board)}#{generation}")


def points_partitions(campaign_id: str, board: str, generation: int) -> list[str]:
    """All partitions that hold a generation's journal and nodes."""
    return [f"{_points(campaign_id, board)}#{generation}#{shard}" for shard in range(RANK_SHARDS)]


def _points_item(campaign_id: str, board: str, generation: int, name: str) -> Key:
    return Key(points_partitions(campaign_id, board, generation)[_shard(name)], name)


def _points(campaign_id: str, board: str) -> str:
    return f"{keys.campaign(campaign_id).partition}#POINTS#{_board(board)}"


def _board(board: str) -> str:
    if not keys.is_id(board):
        raise ValueError("not an id")
    return board


def _rank_item(campaign_id: str, generation: int, name: str) -> Key:
    return Key(_rank_partition(campaign_id, generation, _shard(name)), name)


def _shard(name: str) -> int:
    return zlib.crc32(name.encode()) % RANK_SHARDS


def _rank_partition(campaign_id: str, generation: int, shard: int) -> str:
    return f"{keys.campaign(campaign_id).partition}#RANKS#{generation}#{shard}"
