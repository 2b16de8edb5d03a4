"""Prizes hidden in time: laid out when mechanics are saved, found when an event plays.

Moments are written before the mechanics that speak of them, under an id that is this try's own; the
transaction of the save puts the id among those that count. So what a save leaves that is refused,
or dies, is neither won nor counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.moments import (
    Moment,
    Save,
    Span,
    in_order,
    moments_of,
    open_since,
)
from grapevine.engine.mechanics.parts import InstantWin
from grapevine.errors import InvalidRequest, Problem
from grapevine.table import mechanics_keys, store
from grapevine.table.mechanics import Mechanics, Stock
from grapevine.table.moments import HiddenPrize, hidden_by, pages_of

MOST_SAVES = 5
"""Whose prizes lie hidden beside each other: a play costs a read for each of them. The next one
that has any to hide draws anew for all that wait."""


@dataclass(frozen=True, slots=True)
class Lying:
    """What there is when mechanics are saved: the stocks by the tier's id, of all tiers of the
    mechanics before and of these; and what lies hidden and can be won before these end, by the id
    of the save that hid it."""

    stocks: dict[str, Stock]
    prizes: dict[str, list[HiddenPrize]]

    def awarded(self, tier_id: str) -> int:
        return self.stocks[tier_id].awarded if tier_id in self.stocks else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`hiding` is what the mechanics say from then on; `moments` are to be hidden for that, so many
    of each tier as `counts` says, within `span`. `abandoned` is what counts no more: where there is
    any, no prize may have been given since they were counted."""

    hiding: dict[str, int]
    moments: list[Moment] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    span: Span | None = None
    abandoned: list[HiddenPrize] = field(default_factory=list)


def is_by_moments(configuration: Configuration) -> bool:
    return configuration.instant_win is not None and configuration.instant_win.mode == "moments"


def look(before: Played, configuration: Configuration) -> Lying | None:
    """What lies there. None if somebody won a prize while it was counted: it may then have been
    found twice, or missed."""
    campaign_id = before.campaign.campaign_id
    stocks = _stocks(campaign_id, before.configuration, configuration)
    end = configuration.ends_at
    if not is_by_moments(configuration) or end is None or before.mechanics is None:
        return Lying(stocks, {})
    prizes = {
        save_id: [prize for prize in hidden_by(campaign_id, save_id) if prize.at <= min(until, end)]
        for save_id, until in before.mechanics.hiding.items()
    }
    if prizes and _stocks(campaign_id, before.configuration, configuration) != stocks:
        return None
    return Lying(stocks, prizes)


def _stocks(campaign_id: str, *configurations: Configuration) -> dict[str, Stock]:
    tiers = dict.fromkeys(tier.id for each in configurations for tier in each.tiers)
    found = store.get_many(mechanics_keys.stock(campaign_id, tier_id) for tier_id in tiers)
    stocks = [Stock.from_item(item) for item in found.values()]
    return {stock.tier_id: stock for stock in stocks}


def plan(
    configuration: Configuration,
    before: Mechanics | None,
    lying: Lying,
    save: Save,
    *,
    campaign_id: str,
    secret: str,
    at: int,
) -> Plan:
    """Hides the units that are neither won nor hidden: all of a new configuration, those that were
    added to one, and those that lie beyond an end that has come nearer. Where more of a tier lie
    hidden than are left (none of one that is gone), or too many saves have hidden some, all of them
    are hidden anew. `at` (ms) is the time of the save.

    Raises:
        InvalidRequest: there is no time left in which to hide them.
    """
    hiding = dict(before.hiding) if before else {}
    end = configuration.ends_at
    if not is_by_moments(configuration) or end is None:
        return Plan(hiding=hiding)
    span = Span(max(configuration.starts_at or 0, at), end)
    left = {tier.id: (tier.inventory or 0) - lying.awarded(tier.id) for tier in configuration.tiers}
    hidden = Counter(prize.tier_id for prizes in lying.prizes.values() for prize in prizes)
    counts = {tier_id: number - hidden[tier_id] for tier_id, number in left.items()}
    going_on = {
        save_id: min(hiding[save_id], end) for save_id, prizes in lying.prizes.items() if prizes
    }
    abandoned: list[HiddenPrize] = []
    is_full = len(going_on) >= MOST_SAVES and max(counts.values(), default=0) > 0
    are_too_many = any(number > left.get(tier_id, 0) for tier_id, number in hidden.items())
    if not span.is_over and (is_full or are_too_many):
        counts, going_on = left, {}
        abandoned = [prize for prizes in lying.prizes.values() for prize in prizes]
    counts = {tier_id: number for tier_id, number in counts.items() if number > 0}
    if not counts:
        return Plan(hiding=going_on, abandoned=abandoned)
    if span.is_over:
        message = "It is past: there are prizes that could not be hidden any more."
        raise InvalidRequest(
            "Invalid mechanics configuration.", Problem("body", "endsAt", "past", message)
        )
    return Plan(
        hiding=going_on | {save.save_id: end},
        moments=moments_of(save, counts, span, campaign_id=campaign_id, secret=secret),
        counts=counts,
        span=span,
        abandoned=abandoned,
    )


def found_at(
    campaign_id: str, mechanics: Mechanics | None, instant_win: InstantWin, at: int
) -> Iterator[list[Moment]]:
    """What can be won at a time (ms), the oldest first, page by page; one page is always there."""
    hiding: Mapping[str, int] = mechanics.hiding if mechanics else {}
    for page in pages_of(campaign_id, hiding, open_since(instant_win, at), at):
        yield sorted((_moment(prize) for prize in page), key=in_order)


def _moment(prize: HiddenPrize) -> Moment:
    save = Save(save_id=prize.save_id, version=prize.version, secret_number=prize.secret_number)
    return Moment(save=save, tier_id=prize.tier_id, number=prize.number, at=prize.at)


def hidden_prize(campaign_id: str, moment: Moment) -> HiddenPrize:
    return HiddenPrize(
        campaign_id=campaign_id,
        save_id=moment.save.save_id,
        version=moment.save.version,
        secret_number=moment.save.secret_number,
        tier_id=moment.tier_id,
        number=moment.number,
        at=moment.at,
    )
