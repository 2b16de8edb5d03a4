"""Prizes hidden in time: laid out when mechanics are saved, found when an event plays.

Moments are written before the mechanics that speak of them. A save that dies in between leaves
some, and the same save sent again counts them as its own. Those that one leaves which is never
repeated may be won instead of others, but never besides them: each prize is taken from its tier's
stock as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.moments import Moment, moments_to_add, open_since
from grapevine.engine.mechanics.parts import InstantWin
from grapevine.table import store
from grapevine.table.mechanics import Stock
from grapevine.table.moments import HiddenPrize, hidden_in, pages_of


def is_by_moments(configuration: Configuration) -> bool:
    return configuration.instant_win is not None and configuration.instant_win.mode == "moments"


def hidden_before(campaign_id: str, configuration: Configuration) -> Counter[str]:
    """How many units of each tier lie hidden and can be won before the campaign ends. Read before
    the stocks: what is won meanwhile is then missing in neither."""
    end = configuration.ends_at
    if not is_by_moments(configuration) or end is None:
        return Counter()
    return Counter(prize.tier_id for prize in hidden_in(campaign_id) if prize.at <= end)


def hide(
    campaign_id: str,
    configuration: Configuration,
    *,
    secret: str,
    saved_at: int,
    hidden: Mapping[str, int],
    stocks: Mapping[str, Stock],
) -> None:
    """Hides the units that are neither won nor hidden: all of a new configuration, those that were
    added to one, and those that lie beyond an end that has come nearer."""
    tiers = configuration.instant_win.tiers if configuration.instant_win else ()
    accounted_for = {
        tier.id: hidden.get(tier.id, 0) + (stocks[tier.id].awarded if tier.id in stocks else 0)
        for tier in tiers
    }
    moments = moments_to_add(
        configuration,
        campaign_id=campaign_id,
        secret=secret,
        existing=accounted_for,
        saved_at=saved_at,
    )
    store.put_all(hidden_prize(campaign_id, moment).to_item() for moment in moments)


def found_at(campaign_id: str, instant_win: InstantWin, at: int) -> Iterator[list[Moment]]:
    """What can be won at a time (ms), the oldest first, page by page; one page is always there."""
    for page in pages_of(campaign_id, open_since(instant_win, at), at):
        yield [Moment(tier_id=prize.tier_id, number=prize.number, at=prize.at) for prize in page]


def hidden_prize(campaign_id: str, moment: Moment) -> HiddenPrize:
    return HiddenPrize(
        campaign_id=campaign_id, tier_id=moment.tier_id, number=moment.number, at=moment.at
    )
