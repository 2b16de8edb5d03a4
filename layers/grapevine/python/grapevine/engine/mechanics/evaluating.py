"""Judging one event: what a player gets for it, in the order that the configuration promises.

The play limit is looked at first, then come the points rules, then the draw, and the milestones
last, on a total that has the win in it.
"""

from __future__ import annotations

from grapevine.engine.mechanics import instant_win as instant_wins
from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.counters import Counters
from grapevine.engine.mechanics.instant_win import Chance
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.outcomes import Judged, Lines, Outcome, Reached, Won
from grapevine.engine.mechanics.parts import InstantWin
from grapevine.engine.mechanics.periods import Periods, periods_at
from grapevine.engine.mechanics.points import points_of
from grapevine.errors import UnknownEventType
from grapevine.table.players import Player

__all__ = ["Chance", "Occurrence", "Outcome", "Reached", "Won", "evaluate", "refuse_if_unknown"]


def evaluate(
    configuration: Configuration,
    config_version: int,
    player: Player,
    occurrence: Occurrence,
    chance: Chance,
) -> Outcome:
    """What becomes of an event for a player (a `new_player` where there is none yet).

    It changes nothing and needs no clock: the same arguments give the same outcome.

    Raises:
        PlayLimitReached: the event would draw, may not any more, and the campaign rejects it.
        UnknownEventType: the campaign takes only events that it knows.
    """
    if configuration.unknown_event_types == "reject":
        refuse_if_unknown(configuration, occurrence)
    periods = periods_at(occurrence.at, configuration.timezone)
    counters = Counters(player.counters)
    instant_win = _playing(configuration, counters, occurrence, periods)

    awards = points_of(configuration.points, counters, occurrence, periods)
    drawn = None
    if instant_win is not None and chance.draws(instant_win):
        instant_wins.count_play(instant_win, counters, periods)
        drawn = instant_wins.draw(instant_win, counters, chance)
    lines = Lines(player, occurrence)
    lines.add_awards(awards)
    if drawn is not None and drawn.tier is not None:
        lines.add("instant_win", drawn.tier.id, drawn.tier.paid_at_once)

    return Judged(
        configuration,
        config_version,
        player,
        occurrence,
        periods,
        chance.draw_value,
        chance.secret_number,
    ).finished(counters, lines, drawn)


def refuse_if_unknown(configuration: Configuration, occurrence: Occurrence) -> None:
    """Raises UnknownEventType for an event that no part of the configuration speaks of."""
    if occurrence.event_type not in configuration.event_types:
        raise UnknownEventType(occurrence.event_type)


def _playing(
    configuration: Configuration, counters: Counters, occurrence: Occurrence, periods: Periods
) -> InstantWin | None:
    """The instant win that the event plays, if it does."""
    instant_win = configuration.instant_win
    if instant_win is None or not instant_wins.draws_at(instant_win, occurrence):
        return None
    return instant_win if instant_wins.may_play(instant_win, counters, periods) else None
