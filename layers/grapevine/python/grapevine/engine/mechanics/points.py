"""The points that an event's rules give: conditions, limits, amount, multipliers, rounding, cap."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from grapevine.engine.mechanics.conditions import all_hold, sum_at
from grapevine.engine.mechanics.counters import (
    PERIODS,
    Counters,
    Tally,
    add_to,
    count_of,
    total_of,
)
from grapevine.engine.mechanics.fields import MOST_POINTS
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.parts import (
    FixedAward,
    FromFieldAward,
    Multiplier,
    PerUnitAward,
    PointsCap,
    PointsRules,
    Rule,
)
from grapevine.engine.mechanics.periods import Periods


@dataclass(frozen=True, slots=True)
class RuleAward:
    rule_id: str
    points: int


def points_of(
    points: PointsRules, counters: Counters, occurrence: Occurrence, periods: Periods
) -> list[RuleAward]:
    """What the rules give, in the order of the list; it is counted in `counters`.

    A rule that gives no point, also because the cap is used up, has not awarded: it counts
    towards no limit and starts no cooldown.
    """
    factor = product_of(points.multipliers, occurrence)
    offers = (
        RuleAward(rule.id, amount)
        for rule in points.rules
        if applies(rule, counters.rules.get(rule.id, {}), occurrence, periods)
        if (amount := rounded(amount_of(rule.award, occurrence) * factor, points.rounding)) > 0
    )
    awards = []
    for offer in _stacked(points.stacking, offers):
        given = min(offer.points, room(points.cap_per_user, counters.points, periods))
        if given <= 0:
            continue
        tally = counters.rule(offer.rule_id)
        add_to(tally, 1, periods)
        tally["last"] = occurrence.at
        add_to(counters.points, given, periods)
        awards.append(RuleAward(offer.rule_id, given))
    return awards


def applies(rule: Rule, tally: Tally, occurrence: Occurrence, periods: Periods) -> bool:
    """Whether a rule may award an event, by all but the points that it would give."""
    return (
        rule.event_type == occurrence.event_type
        and occurrence.is_trusted(rule.require_trust)
        and all_hold(rule.when, occurrence.metadata)
        and not _is_used_up(rule, tally, periods)
        and not _is_cooling(rule, tally, occurrence.at)
    )


def _is_used_up(rule: Rule, tally: Tally, periods: Periods) -> bool:
    most = rule.limits.per_user
    if most.total is not None and total_of(tally) >= most.total:
        return True
    return any(
        limit is not None and count_of(tally, period, periods) >= limit
        for period in PERIODS
        if (limit := getattr(most, period)) is not None
    )


def _is_cooling(rule: Rule, tally: Tally, at: int) -> bool:
    last = tally.get("last")
    return last is not None and at < last + rule.limits.cooldown_seconds * 1000


def amount_of(
    award: FixedAward | PerUnitAward | FromFieldAward, occurrence: Occurrence
) -> Fraction:
    """Before multipliers and rounding; nothing for what is not above zero."""
    match award:
        case FixedAward():
            return Fraction(award.points)
        case PerUnitAward():
            value = sum_at(occurrence.metadata, award.field)
            amount = value / Fraction(award.unit) * Fraction(award.points)
        case FromFieldAward():
            amount = sum_at(occurrence.metadata, award.field)
    return max(Fraction(0), min(amount, Fraction(award.max)))


def product_of(multipliers: Iterable[Multiplier], occurrence: Occurrence) -> Fraction:
    """The factors of all multipliers that are on for the event, multiplied."""
    product = Fraction(1)
    for each in multipliers:
        if _is_on(each, occurrence):
            product *= Fraction(each.factor)
    return product


def _is_on(multiplier: Multiplier, occurrence: Occurrence) -> bool:
    if multiplier.event_types is not None and occurrence.event_type not in multiplier.event_types:
        return False
    starts_at, ends_at = multiplier.starts_at, multiplier.ends_at
    return (starts_at is None or starts_at <= occurrence.at) and (
        ends_at is None or occurrence.at <= ends_at
    )


def rounded(amount: Fraction, rounding: str) -> int:
    """Whole points; no award gives more than `MOST_POINTS`, whatever multiplies it."""
    match rounding:
        case "floor":
            whole = math.floor(amount)
        case "ceil":
            whole = math.ceil(amount)
        case _:
            whole = math.floor(amount + Fraction(1, 2))
    return min(whole, MOST_POINTS)


def room(cap: PointsCap, points: Tally, periods: Periods) -> int:
    """How many points the rules may still give the player."""
    rooms = [MOST_POINTS]
    if cap.total is not None:
        rooms.append(cap.total - total_of(points))
    if cap.day is not None:
        rooms.append(cap.day - count_of(points, "day", periods))
    return min(rooms)


def _stacked(stacking: str, offers: Iterator[RuleAward]) -> list[RuleAward]:
    """Of equal ones `max` takes that which stands first."""
    match stacking:
        case "all":
            return list(offers)
        case "first":
            return [first] if (first := next(offers, None)) else []
    return [best] if (best := max(offers, key=lambda offer: offer.points, default=None)) else []
