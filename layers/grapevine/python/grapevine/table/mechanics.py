"""A campaign's mechanics: what is configured now, every version there was, and how often each
prize has been given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from grapevine.table import mechanics_keys
from grapevine.table.entity import Entity, as_exact_json, as_json
from grapevine.table.keys import Key
from grapevine.table.writes import (
    Add,
    Condition,
    absent_or_below,
    left_and_still,
    still_and_within,
    version_and_secret,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanics(Entity):
    """`version` is the configuration's number, from 1. `draw_secret` decides all draws since
    `secret_at` (ms); `secret_number` counts the campaign's secrets from 1. Before `hides_until`
    (ms) prizes may lie hidden at times that follow from one of them. `engine` says when one may be
    shown. `has_drawn`: this version or one before it had an instant win.

    `hiding` names the saves whose prizes lie hidden (`save_id`), each with the last time (ms) at
    which one of them can be won: see `table/moments.py`."""

    TYPE: ClassVar[str] = "Mechanics"

    campaign_id: str
    version: int
    configuration: dict[str, Any] = as_exact_json()
    draw_secret: str = field(repr=False)
    secret_number: int
    secret_at: int
    hides_until: int | None = None
    has_drawn: bool = False
    hiding: dict[str, int] = as_json()
    changed_at: int
    changed_by: str

    @property
    def key(self) -> Key:
        return mechanics_keys.mechanics(self.campaign_id)


def drawn_with(mechanics: Mechanics) -> Condition:
    """That nobody has saved others meanwhile, or replaced their secret."""
    return version_and_secret(mechanics.version, mechanics.secret_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawSecret(Entity):
    """A former secret of the draws: none was decided by it after `until` (ms). Never changed."""

    TYPE: ClassVar[str] = "DrawSecret"

    campaign_id: str
    number: int
    secret: str = field(repr=False)
    until: int

    @property
    def key(self) -> Key:
        return mechanics_keys.draw_secret(self.campaign_id, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class MechanicsVersion(Entity):
    """What was configured from `changed_at` (ms) on, and whose key had saved it; and how many
    prizes of each tier it has hidden from `hidden_from` to `hidden_until` (ms). Never changed."""

    TYPE: ClassVar[str] = "MechanicsVersion"

    campaign_id: str
    version: int
    configuration: dict[str, Any] = as_exact_json()
    hidden: dict[str, int] = as_json()
    hidden_from: int | None = None
    hidden_until: int | None = None
    changed_at: int
    changed_by: str

    @property
    def key(self) -> Key:
        return mechanics_keys.mechanics_version(self.campaign_id, self.version)


ENDLESS = 10**15
"""The limit of what has none: more than can ever be given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock(Entity):
    """How often a prize has been given, and can be: in all and on one day, `ENDLESS` where there is
    no such limit. Each tier that was ever configured has one, and each win is counted in it; so a
    limit holds from its save on, whatever a container remembers."""

    TYPE: ClassVar[str] = "Stock"

    campaign_id: str
    tier_id: str
    inventory: int = ENDLESS
    per_day: int = ENDLESS
    awarded: int = 0

    @property
    def key(self) -> Key:
        return mechanics_keys.stock(self.campaign_id, self.tier_id)


def one_of_stock(campaign_id: str, tier_id: str, per_day: int | None) -> Add:
    """Gives one, if there is one left, and if the limit of a day is still this one: `one_of_day`
    goes by it."""
    key = mechanics_keys.stock(campaign_id, tier_id)
    condition = left_and_still("awarded", "inventory", "perDay", per_day or ENDLESS)
    return Add(key, Stock.TYPE, {"awarded": 1}, condition)


def changed_limits(
    stock: Stock, inventory: int, per_day: int, *, awarded_at_most: int | None = None
) -> Add:
    """Makes the limits other ones, if they are still what was read and cover what was given.
    `awarded_at_most`: and no more was given than that."""
    most = inventory if awarded_at_most is None else awarded_at_most
    return Add(
        stock.key,
        Stock.TYPE,
        {"inventory": inventory - stock.inventory, "perDay": per_day - stock.per_day},
        still_and_within(
            ("inventory", stock.inventory), ("perDay", stock.per_day), "awarded", most
        ),
    )


def one_of_day(campaign_id: str, tier_id: str, day: int, per_day: int) -> Add:
    """Gives one of that day's, if there is one left; `day` as in `mechanics_keys.stock_day`."""
    key = mechanics_keys.stock_day(campaign_id, tier_id, day)
    return Add(key, "StockDay", {"awarded": 1}, absent_or_below("awarded", per_day))
