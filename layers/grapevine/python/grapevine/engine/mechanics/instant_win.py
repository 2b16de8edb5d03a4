"""The instant win: whether an event plays, which tier its draw names, and what stops a prize."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grapevine.engine.mechanics.counters import Counters, add_to, count_of, total_of
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.parts import InstantWin, Tier
from grapevine.engine.mechanics.periods import Periods
from grapevine.errors import PlayLimitReached
from grapevine.table.ledger import Downgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """What fortune brings to an event that may draw.

    `draw_value` is its draw by odds (`draws.draw_value`), with the secret of that number; `moments`
    are those that can be won now, the oldest first, where the campaign draws by moments. Without
    the one that its mode asks for nothing is drawn: a preview. `sold_out` names tiers whose stock
    was found empty, `onSoldOut` says what a hit of one becomes; `spent_today` those whose `perDay`
    was, a hit is a loss.
    """

    draw_value: int | None = None
    secret_number: int | None = None
    moments: Sequence[Moment] | None = None
    sold_out: frozenset[str] = frozenset()
    spent_today: frozenset[str] = frozenset()

    def draws(self, instant_win: InstantWin) -> bool:
        source = self.draw_value if instant_win.mode == "odds" else self.moments
        return source is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """`hit` is the tier that the draw named, `tier` the one that is won; `downgrade` says why the
    two differ."""

    hit: Tier | None = None
    tier: Tier | None = None
    downgrade: Downgrade | None = None
    moment: Moment | None = None


def draws_at(instant_win: InstantWin | None, occurrence: Occurrence) -> bool:
    """Whether an event is one that plays, if its player may still play."""
    return (
        instant_win is not None
        and instant_win.enabled
        and occurrence.event_type in instant_win.event_types
        and occurrence.is_trusted(instant_win.require_trust)
    )


def may_play(instant_win: InstantWin, counters: Counters, periods: Periods) -> bool:
    """Raises PlayLimitReached where there is no play left and the campaign rejects the event."""
    if _is_within_limits(instant_win, counters, periods) or counters.extra_plays > 0:
        return True
    if instant_win.on_play_limit == "reject":
        raise PlayLimitReached
    return False


def count_play(instant_win: InstantWin, counters: Counters, periods: Periods) -> None:
    """An extra play is used where the limits allow none, and does not count towards them."""
    if _is_within_limits(instant_win, counters, periods):
        add_to(counters.plays, 1, periods)
    else:
        counters.add_extra_plays(-1)


def _is_within_limits(instant_win: InstantWin, counters: Counters, periods: Periods) -> bool:
    most = instant_win.limits.plays_per_user
    return (most.total is None or total_of(counters.plays) < most.total) and (
        most.day is None or count_of(counters.plays, "day", periods) < most.day
    )


def draw(instant_win: InstantWin, counters: Counters, chance: Chance) -> Draw:
    """What a play wins; a win is counted in `counters`."""
    drawn = (
        _by_odds(instant_win, counters, chance)
        if instant_win.mode == "odds"
        else _by_moment(instant_win, counters, chance.moments or ())
    )
    if drawn.tier is not None:
        counters.count_win(drawn.tier.id)
    return drawn


def tier_at(tiers: Iterable[Tier], value: int) -> Tier | None:
    """The tier in whose share of the million a draw falls: shares lie in the order of the list."""
    end = 0
    for tier in tiers:
        end += tier.odds_ppm
        if value < end:
            return tier
    return None


def _by_odds(instant_win: InstantWin, counters: Counters, chance: Chance) -> Draw:
    if chance.draw_value is None:
        raise ValueError("a play by odds needs a draw")
    hit = tier_at(instant_win.tiers, chance.draw_value)
    if hit is None:
        return Draw()
    tier: Tier | None = hit
    downgrade: Downgrade | None = None
    if hit.id in chance.sold_out:
        downgrade = "sold_out"
        tier = _instead(instant_win, hit, chance.draw_value, chance.sold_out)
    refused = _refused(instant_win, tier, counters) if tier else None
    if refused is None and tier is not None and tier.id in chance.spent_today:
        refused = "per_day"
    if refused is not None:
        return Draw(hit=hit, downgrade=refused)
    return Draw(hit=hit, tier=tier, downgrade=downgrade)


def _by_moment(instant_win: InstantWin, counters: Counters, moments: Sequence[Moment]) -> Draw:
    """The oldest moment whose prize the player may win. The others stay for other players, so
    nothing is told of them: who cannot win them could call somebody who can."""
    tiers = {tier.id: tier for tier in instant_win.tiers}
    for moment in moments:
        tier = tiers.get(moment.tier_id)
        if tier is not None and _refused(instant_win, tier, counters) is None:
            return Draw(hit=tier, tier=tier, moment=moment)
    return Draw()


def may_win(instant_win: InstantWin, counters: Counters) -> bool:
    """Whether there is a tier that the player may still win."""
    return any(_refused(instant_win, tier, counters) is None for tier in instant_win.tiers)


def _refused(instant_win: InstantWin, tier: Tier, counters: Counters) -> Downgrade | None:
    """The limit by which a player may not win a tier."""
    if tier.per_user is not None and counters.wins.get(tier.id, 0) >= tier.per_user:
        return "per_user"
    most = instant_win.limits.wins_per_user.total
    if most is not None and counters.wins_total >= most:
        return "wins_per_user"
    return None


def _instead(
    instant_win: InstantWin, hit: Tier, value: int, sold_out: frozenset[str]
) -> Tier | None:
    """What a hit of a sold-out tier becomes; None is a loss."""
    match instant_win.on_sold_out:
        case "next_tier":
            place = instant_win.tiers.index(hit)
            after = instant_win.tiers[place + 1 :]
            return next((tier for tier in after if tier.id not in sold_out), None)
        case "redistribute":
            return _redistributed(instant_win.tiers, hit, value, sold_out)
    return None


def _redistributed(
    tiers: Sequence[Tier], hit: Tier, value: int, sold_out: frozenset[str]
) -> Tier | None:
    """The sold-out tier's share is divided among the others in proportion to their odds: where in
    that share the draw fell is stretched over all of theirs."""
    left = [tier for tier in tiers if tier.id not in sold_out]
    all_odds = sum(tier.odds_ppm for tier in left)
    start = sum(tier.odds_ppm for tier in tiers[: tiers.index(hit)])
    return tier_at(left, (value - start) * all_odds // hit.odds_ppm)
