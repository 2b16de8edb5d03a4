"""A campaign's mechanics: what is configured now, every version there was, and how often each
prize has been given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from grapevine.table import mechanics_keys
from grapevine.table.entity import Entity, as_exact_json
from grapevine.table.keys import Key
from grapevine.table.writes import Add, absent_or_below, below, still_and_within


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanics(Entity):
    """`version` is the configuration's number, from 1. `draw_secret` decides all draws: it is made
    once, and shown only when the campaign has ended."""

    TYPE: ClassVar[str] = "Mechanics"

    campaign_id: str
    version: int
    configuration: dict[str, Any] = as_exact_json()
    draw_secret: str = field(repr=False)
    changed_at: int
    changed_by: str

    @property
    def key(self) -> Key:
        return mechanics_keys.mechanics(self.campaign_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanicsVersion(Entity):
    """What was configured from `changed_at` (ms) on, and whose key had saved it. Never changed."""

    TYPE: ClassVar[str] = "MechanicsVersion"

    campaign_id: str
    version: int
    configuration: dict[str, Any] = as_exact_json()
    changed_at: int
    changed_by: str

    @property
    def key(self) -> Key:
        return mechanics_keys.mechanics_version(self.campaign_id, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock(Entity):
    """How often a prize can be given at all, and has been: never more than its inventory."""

    TYPE: ClassVar[str] = "Stock"

    campaign_id: str
    tier_id: str
    inventory: int
    awarded: int = 0

    @property
    def key(self) -> Key:
        return mechanics_keys.stock(self.campaign_id, self.tier_id)


def one_of_stock(campaign_id: str, tier_id: str) -> Add:
    """Gives one, if there is one left."""
    key = mechanics_keys.stock(campaign_id, tier_id)
    return Add(key, Stock.TYPE, {"awarded": 1}, below("awarded", "inventory"))


def changed_inventory(stock: Stock, inventory: int) -> Add:
    """Makes the inventory another one, if it is still what was read and covers what was given."""
    return Add(
        stock.key,
        Stock.TYPE,
        {"inventory": inventory - stock.inventory},
        still_and_within("inventory", stock.inventory, "awarded", inventory),
    )


def one_of_day(campaign_id: str, tier_id: str, day: int, per_day: int) -> Add:
    """Gives one of that day's, if there is one left; `day` as in `mechanics_keys.stock_day`."""
    key = mechanics_keys.stock_day(campaign_id, tier_id, day)
    return Add(key, "StockDay", {"awarded": 1}, absent_or_below("awarded", per_day))
