"""What is wrong with a configuration that needs more than one of its members to tell, or the one
before it, or what has happened under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from grapevine.engine.mechanics.configuration import Configuration, written_out
from grapevine.engine.mechanics.counters import MOST_DISTINCT
from grapevine.engine.mechanics.parts import (
    PPM,
    DistinctValues,
    InstantWin,
    MetadataSum,
    Milestone,
    PointsTotal,
)
from grapevine.errors import Problem
from grapevine.table.player_keys import is_user_id

MOST_RULES_OF_A_TYPE = 10
"""So that the items which an event writes fit into one transaction, with room."""

MOST_MOMENTS = 1000
"""Of one tier; each is an item of its own."""

MOST_BYTES = 224 * 1024
"""Of a configuration that is complete and written out at length. So what GET shows is a body that
PUT takes, with room for what is only shown, and an item has room for it."""


def problems(
    configuration: Configuration,
    before: Configuration | None = None,
    *,
    has_players: bool = False,
    awarded: Mapping[str, int] | None = None,
) -> list[Problem]:
    """All that is wrong; nothing for a configuration that can be saved.

    Args:
        configuration: the one to be saved.
        before: the one that is in force.
        has_players: whether somebody may have made progress under it.
        awarded: how many of each tier's prizes have been won, by the tier's id.
    """
    found = [
        *_campaign(configuration),
        *_points(configuration),
        *_milestones(configuration),
        *_instant_win(configuration),
        *_stock(configuration, awarded or {}),
        *_leaderboard(configuration),
        *_size(configuration),
    ]
    if before is not None and has_players:
        found.extend(_frozen(configuration, before))
    return found


def _problem(field: str, code: str, message: str) -> Problem:
    return Problem("body", field, code, message)


def _repeated(field: str, names: Iterable[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            yield _problem(field, "not_unique", f"{name} is there {count} times.")


def _campaign(configuration: Configuration) -> Iterator[Problem]:
    starts_at, ends_at = configuration.starts_at, configuration.ends_at
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        yield _problem("endsAt", "order", "Must be after startsAt.")
    yield from _repeated("sources", configuration.sources)
    yield from _repeated("dedupe", (each.event_type for each in configuration.dedupe))


def _points(configuration: Configuration) -> Iterator[Problem]:
    points = configuration.points
    yield from _repeated("points.rules", (rule.id for rule in points.rules))
    yield from _repeated("points.multipliers", (each.id for each in points.multipliers))
    for event_type, count in Counter(rule.event_type for rule in points.rules).items():
        if count > MOST_RULES_OF_A_TYPE:
            message = f"At most {MOST_RULES_OF_A_TYPE} rules for one event type: {event_type}."
            yield _problem("points.rules", "too_many", message)
    for place, each in enumerate(points.multipliers):
        starts_at, ends_at = each.starts_at, each.ends_at
        if starts_at is not None and ends_at is not None and ends_at < starts_at:
            yield _problem(f"points.multipliers.{place}.to", "order", "Must not be before from.")


def _milestones(configuration: Configuration) -> Iterator[Problem]:
    yield from _repeated("milestones", (each.id for each in configuration.milestones))
    for place, milestone in enumerate(configuration.milestones):
        yield from _milestone(f"milestones.{place}", milestone)


def _milestone(field: str, milestone: Milestone) -> Iterator[Problem]:
    metric, threshold = milestone.metric, milestone.threshold
    whole = threshold == threshold.to_integral_value()
    if not whole and not isinstance(metric, MetadataSum):
        yield _problem(f"{field}.threshold", "whole_number", "Must be a whole number.")
    if isinstance(metric, DistinctValues) and threshold > MOST_DISTINCT:
        message = f"At most {MOST_DISTINCT} different values are kept."
        yield _problem(f"{field}.threshold", "too_large", message)
    if isinstance(metric, PointsTotal) and milestone.repeat and milestone.reward.points:
        message = "A milestone on points that repeats gives no points: it would never end."
        yield _problem(f"{field}.reward.points", "endless", message)
    if isinstance(metric, PointsTotal) and milestone.require_trust == "server":
        message = "A total does not know where its points came from: require it of the rules."
        yield _problem(f"{field}.requireTrust", "no_trust", message)


def _size(configuration: Configuration) -> Iterator[Problem]:
    if len(written_out(configuration)) > MOST_BYTES:
        message = f"With its defaults it is larger than {MOST_BYTES // 1024} KiB."
        yield _problem("body", "too_large", message)


def _leaderboard(configuration: Configuration) -> Iterator[Problem]:
    yield from _repeated("leaderboard.periods", configuration.leaderboard.periods)
    # Not a rule of the field: what was stored before the rule was made must be read nevertheless.
    for place, user_id in enumerate(configuration.leaderboard.exclude_users):
        if not is_user_id(user_id):
            message = "Must be a user id, not blank."
            yield _problem(f"leaderboard.excludeUsers.{place}", "user_id", message)


def _instant_win(configuration: Configuration) -> Iterator[Problem]:
    instant_win = configuration.instant_win
    if instant_win is None:
        return
    yield from _repeated("instantWin.tiers", (tier.id for tier in instant_win.tiers))
    yield from _repeated("instantWin.eventTypes", instant_win.event_types)
    if sum(tier.odds_ppm for tier in instant_win.tiers) > PPM:
        message = "The odds of all tiers together are more than a million."
        yield _problem("instantWin.tiers", "odds", message)
    if instant_win.mode == "moments":
        yield from _moments(configuration, instant_win)
    elif instant_win.window_minutes is not None:
        message = "Only moments have a window."
        yield _problem("instantWin.windowMinutes", "mode", message)


def _moments(configuration: Configuration, instant_win: InstantWin) -> Iterator[Problem]:
    if configuration.starts_at is None or configuration.ends_at is None:
        message = "Moments are drawn between startsAt and endsAt: both are needed."
        yield _problem("instantWin.mode", "mode", message)
    for place, tier in enumerate(instant_win.tiers):
        field = f"instantWin.tiers.{place}"
        if tier.inventory is None or tier.inventory > MOST_MOMENTS:
            message = f"Moments need a number of prizes, at most {MOST_MOMENTS}."
            yield _problem(f"{field}.inventory", "mode", message)
        if tier.odds_ppm or tier.per_day is not None:
            yield _problem(field, "mode", "Moments have neither oddsPpm nor perDay.")


def _stock(configuration: Configuration, awarded: Mapping[str, int]) -> Iterator[Problem]:
    tiers = configuration.instant_win.tiers if configuration.instant_win else ()
    for place, tier in enumerate(tiers):
        gone = awarded.get(tier.id, 0)
        if tier.inventory is not None and tier.inventory < gone:
            message = f"{gone} have been won already."
            yield _problem(f"instantWin.tiers.{place}.inventory", "awarded", message)


def _frozen(configuration: Configuration, before: Configuration) -> Iterator[Problem]:
    """Players are on their way to a milestone: what it asks of them stays."""
    known = {milestone.id: milestone for milestone in before.milestones}
    for place, milestone in enumerate(configuration.milestones):
        former = known.get(milestone.id)
        if former is None:
            continue
        for name in ("threshold", "metric", "repeat"):
            if getattr(milestone, name) != getattr(former, name):
                message = "Players may have made progress: take another id for another milestone."
                yield _problem(f"milestones.{place}.{name}", "frozen", message)
