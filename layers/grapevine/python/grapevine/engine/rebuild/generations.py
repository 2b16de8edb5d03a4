"""Generations of the rank index: claiming one, letting it take over, and clearing away old ones.

A generation is claimed by its journal, which exists once, so two rebuilds never write into the same
one. It counts from the moment the head names it, and the head is put under the condition that it is
as it was read. What is left of earlier ones is cleared away by a later rebuild, when nobody can be
reading it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.parallel import in_parallel
from grapevine.engine.rebuild.draft import Draft
from grapevine.errors import Busy
from grapevine.table import rank_keys, store
from grapevine.table.keys import Key
from grapevine.table.ranks import RankHead, RankJournal, of_generation
from grapevine.table.writes import ABSENT, Condition, version

_MOST_AT_ONCE = 100

READERS_GONE_AFTER_MS = 60_000
"""Functions that read ranks end after 29 seconds at the latest."""


@dataclass(frozen=True, slots=True)
class Current:
    """The head as it is, or as workers take it to be where there is none."""

    head: RankHead
    condition: Condition

    @property
    def is_missing(self) -> bool:
        return self.condition is ABSENT


def current(campaign_id: str) -> Current:
    item = store.get(rank_keys.rank_head(campaign_id))
    head = RankHead.found(campaign_id, item)
    return Current(head, version(head.version) if item else ABSENT)


def claim(campaign_id: str, after: int) -> int:
    """A generation after that one that nobody else will write into."""
    for generation in count(after + 1):
        empty = RankHead.new(campaign_id, generation)
        journal = RankJournal(
            campaign_id=campaign_id,
            generation=generation,
            version=empty.version,
            month=0,
            before=b"",
            after=b"",
        )
        if store.put(journal.to_item(), ABSENT):
            return generation
    raise AssertionError("there is always another number")


def write(draft: Draft, generation: int, written: Callable[[int, int], None]) -> None:
    """Puts all parts of a claimed generation that does not count yet."""
    parts = draft.parts(generation)
    for start in range(0, len(parts), _MOST_AT_ONCE):
        some = parts[start : start + _MOST_AT_ONCE]
        in_parallel([partial(store.put, part.to_item(), ABSENT) for part in some])
        written(start + len(some), len(parts))


def take_over(draft: Draft, generation: int, oldest: int) -> Current:
    """Makes the generation the one that counts; the head that it replaces. Of those before
    `oldest` nothing is left.

    Raises:
        Busy: another rebuild has taken over with a later one, or the head never stood still.
    """
    replaced: Current | None = None
    for _ in attempts():
        before = current(draft.campaign_id)
        if before.head.generation == generation and replaced:
            return replaced  # the answer to the put was lost
        if before.head.generation > generation:
            clear(draft.campaign_id, generation)
            raise Busy
        replaced = before
        if store.put(draft.head(generation, oldest).to_item(), before.condition):
            return before
    raise AssertionError("attempts() ends by raising Busy")


def clear_old(head: RankHead) -> int:
    """Clears away what generations before the head's have left, unless somebody may still be
    reading the last one; the oldest of which something may be left."""
    if runtime.now_ms() - head.taken_over_at < READERS_GONE_AFTER_MS:
        return head.oldest
    for generation in range(head.oldest, head.generation):
        clear(head.campaign_id, generation)
    return head.generation


def clear(campaign_id: str, generation: int) -> None:
    """Deletes all items of a generation."""
    items = of_generation(campaign_id, generation)
    store.remove([Key(item["partition"], item["sort"]) for item in items])
