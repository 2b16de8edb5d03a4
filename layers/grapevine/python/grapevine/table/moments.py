"""Moments: units of prizes that lie hidden in time. Whoever wins one deletes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import mechanics_keys, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.writes import PRESENT, Delete

PAGES = (20, 500, 500, 500, 500)
"""How many moments each read of an event brings: the first nearly always has one to win. What lies
behind the last is found when older ones are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPrize(Entity):
    """One unit of a tier, which can be won from `at` (ms) on. No answer ever shows one."""

    TYPE: ClassVar[str] = "HiddenPrize"

    campaign_id: str
    tier_id: str
    number: int
    at: int

    @property
    def key(self) -> Key:
        return mechanics_keys.hidden_prize(self.campaign_id, self.at, self.tier_id, self.number)


def taken(prize: HiddenPrize) -> Delete:
    """Takes it, if nobody else has."""
    return Delete(prize.key, PRESENT)


def hidden_in(campaign_id: str) -> list[HiddenPrize]:
    """All that nobody has won so far."""
    items = store.query(None, mechanics_keys.hidden_prizes(campaign_id))
    return [HiddenPrize.from_item(item) for item in items]


def pages_of(campaign_id: str, since: int, until: int) -> Iterator[list[HiddenPrize]]:
    """Those from one time to another (ms, both included), the oldest first, in pages as `PAGES`
    says and no more of them; at least one page, which may be empty. Each costs one strongly
    consistent read."""
    first, last = mechanics_keys.hidden_between(since, until)
    partition = mechanics_keys.hidden_prizes(campaign_id)
    for size in PAGES:
        items = store.query(None, partition, between=(first, last), limit=size)
        page = [HiddenPrize.from_item(item) for item in items]
        yield page
        if len(page) < size:
            return
        first = mechanics_keys.right_after(page[-1].key)
