"""Moments: units of prizes that lie hidden in time. Whoever wins one deletes it.

Those of one save of the mechanics are a partition of their own. Only the saves that `Mechanics`
names (`hiding`) count: what one has left that was refused, or died, is looked at by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from grapevine.table import mechanics_keys, store
from grapevine.table.entity import Entity
from grapevine.table.keys import Key
from grapevine.table.writes import PRESENT, Delete

PAGES = (20, 500, 500, 500, 500)
"""How many moments of each save the reads of an event bring: the first nearly always has one to
win. What lies behind the last is found when older ones are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenPrize(Entity):
    """One unit of a tier, which can be won from `at` (ms) on. No answer ever shows one. It was
    hidden by the save `save_id`, which wanted to make the version `version`, and follows from the
    secret number `secret_number`."""

    TYPE: ClassVar[str] = "HiddenPrize"

    campaign_id: str
    save_id: str
    version: int
    secret_number: int
    tier_id: str
    number: int
    at: int

    @property
    def key(self) -> Key:
        return mechanics_keys.hidden_prize(
            self.campaign_id, self.save_id, self.at, self.tier_id, self.number
        )


def taken(prize: HiddenPrize) -> Delete:
    """Takes it, if nobody else has."""
    return Delete(prize.key, PRESENT)


def hidden_by(campaign_id: str, save_id: str) -> list[HiddenPrize]:
    """All of a save that nobody has won so far."""
    items = store.query(None, mechanics_keys.hidden_prizes(campaign_id, save_id))
    return [HiddenPrize.from_item(item) for item in items]


def put_all(prizes: Iterable[HiddenPrize]) -> None:
    """Hides them, each by itself."""
    store.put_all(prize.to_item() for prize in prizes)


def remove(prizes: Iterable[HiddenPrize]) -> None:
    """Takes away what counts no more."""
    store.remove([prize.key for prize in prizes])


def pages_of(
    campaign_id: str, hiding: Mapping[str, int], since: int, until: int
) -> Iterator[list[HiddenPrize]]:
    """Those from one time to another (ms, both included) of the saves that are hiding any, each up
    to its own last time, in pages as `PAGES` says and no more of them; at least one page, which may
    be empty. Each costs one strongly consistent read for every save that has more."""
    places = {save_id: mechanics_keys.hidden_from(since) for save_id in hiding}
    for size in PAGES:
        page: list[HiddenPrize] = []
        for save_id, first in list(places.items()):
            last = mechanics_keys.hidden_to(min(until, hiding[save_id]))
            partition = mechanics_keys.hidden_prizes(campaign_id, save_id)
            items = store.query(None, partition, between=(first, last), limit=size)
            found = [HiddenPrize.from_item(item) for item in items]
            page += found
            if len(found) < size:
                del places[save_id]
            else:
                places[save_id] = mechanics_keys.right_after(found[-1].key)
        yield page
        if not places:
            return
