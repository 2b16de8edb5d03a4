"""What a campaign's prizes are, and how many of each have been given."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.parts import Tier
from grapevine.engine.mechanics.periods import periods_at
from grapevine.table import mechanics_keys, store
from grapevine.table.mechanics import Stock
from grapevine.table.player_counts import players_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Prize:
    """`awarded_today` (a day of the campaign's time zone) is None without a daily limit, and where
    prizes are hidden in time."""

    tier: Tier
    awarded: int
    awarded_today: int | None

    @property
    def remaining(self) -> int | None:
        if self.tier.inventory is None:
            return None
        return max(0, self.tier.inventory - self.awarded)


@dataclass(frozen=True, slots=True)
class Figures:
    """`participants` are all players: who has ever had an event or been linked."""

    participants: int
    prizes: list[Prize]


def figures_of(played: Played) -> Figures:
    """Strongly consistent."""
    return Figures(players_of(played.campaign.campaign_id), prizes_of(played))


def prizes_of(played: Played) -> list[Prize]:
    """Those that are configured now, in order (strongly consistent)."""
    instant_win = played.configuration.instant_win
    if instant_win is None:
        return []
    campaign_id = played.campaign.campaign_id
    today = periods_at(runtime.now_ms(), played.configuration.timezone).date
    by_odds = instant_win.mode == "odds"
    stocks = {tier.id: mechanics_keys.stock(campaign_id, tier.id) for tier in instant_win.tiers}
    days = {
        tier.id: mechanics_keys.stock_day(campaign_id, tier.id, today)
        for tier in instant_win.tiers
        if by_odds and tier.per_day is not None
    }
    items = store.get_many([*stocks.values(), *days.values()])

    def prize(tier: Tier) -> Prize:
        stock, awarded_today = items.get(stocks[tier.id]), None
        awarded = Stock.from_item(stock).awarded if stock else 0
        if tier.id in days:
            awarded_today = items.get(days[tier.id], {"awarded": 0})["awarded"]
        return Prize(tier=tier, awarded=awarded, awarded_today=awarded_today)

    return [prize(tier) for tier in instant_win.tiers]
