"""The due index: items that somebody must look at when their time has come.

What the sweep looks at every minute and what waits for a month's end have shards of their own.

An item is in the index while it has `dueShard` and `dueAt`. A sweep claims it by moving its due
time ahead; whoever does the work takes both attributes away, or sets the next time.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from grapevine.table import keys, store
from grapevine.table.attributes import Item
from grapevine.table.keys import Key
from grapevine.table.store import Index

_DUE = Index("due", "dueShard", "dueAt")


@dataclass(frozen=True, slots=True)
class DueItem:
    key: Key
    due_at: int


def shard_of(text: str) -> str:
    """Spreads items over the index's partitions, the same item always to the same one."""
    return keys.due_shard(_number_of(text))


def month_end_shard_of(text: str) -> str:
    return keys.month_end_shard(_number_of(text))


def _number_of(text: str) -> int:
    return zlib.crc32(text.encode()) % keys.DUE_SHARDS


def due_at(time_ms: int, limit_per_shard: int) -> list[DueItem]:
    """What has fallen due for the sweep by `time_ms`, oldest first within each shard."""
    return _due(keys.due_shard, time_ms, limit_per_shard)


def month_ends_at(time_ms: int, limit_per_shard: int) -> list[DueItem]:
    """What a month's end has made due by `time_ms`, oldest first within each shard."""
    return _due(keys.month_end_shard, time_ms, limit_per_shard)


def _due(partition_of: Callable[[int], str], time_ms: int, limit_per_shard: int) -> list[DueItem]:
    found: list[DueItem] = []
    for shard in range(keys.DUE_SHARDS):
        entries = store.query(_DUE, partition_of(shard), limit=limit_per_shard, at_most=time_ms)
        found.extend(
            DueItem(Key(entry["partition"], entry["sort"]), entry["dueAt"]) for entry in entries
        )
    return found


def claim(item: DueItem, until: int) -> Item | None:
    """Takes the item until `until` (ms) and gives all of it; None if somebody else was first or it
    has changed."""
    return store.postpone(item.key, seen_due_at=item.due_at, until=until)
