"""How far a player is on the way to each milestone, as an endpoint shows it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from grapevine.engine.mechanics.configuration import Configuration
from grapevine.engine.mechanics.counters import Counters
from grapevine.engine.mechanics.milestones import current_of
from grapevine.engine.mechanics.numbers import decimal_of
from grapevine.engine.mechanics.parts import Milestone, Streak
from grapevine.engine.mechanics.periods import periods_at
from grapevine.table.players import Player


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneProgress:
    """`current` and `threshold` are whole but for a sum; `longest` is there for a streak.
    `percent` goes to 100, for one that repeats on the way to the next multiple."""

    milestone: Milestone
    current: int | Decimal
    threshold: int | Decimal
    longest: int | None
    percent: int
    reached_count: int


def progress_of(
    configuration: Configuration, player: Player, now: int
) -> tuple[MilestoneProgress, ...]:
    """In the order of the configuration. A streak that the last period has broken is 0."""
    counters = Counters(player.counters)
    return tuple(
        _progress(milestone, counters, player, configuration, now)
        for milestone in configuration.milestones
    )


def _progress(
    milestone: Milestone, counters: Counters, player: Player, configuration: Configuration, now: int
) -> MilestoneProgress:
    progress = counters.progress(milestone)
    current = current_of(milestone, progress, player.total_points)
    threshold = Fraction(milestone.threshold)
    longest = None
    if isinstance(milestone.metric, Streak):
        longest = int(progress.get("longest", 0))
        number = periods_at(now, configuration.timezone).number(milestone.metric.period)
        if number > progress.get("last", number) + 1:
            current = Fraction(0)
    reached = int(progress["reached"])
    return MilestoneProgress(
        milestone=milestone,
        current=_plain(current),
        threshold=_plain(threshold),
        longest=longest,
        percent=_percent(milestone, current / threshold, reached),
        reached_count=reached,
    )


def _percent(milestone: Milestone, times: Fraction, reached: int) -> int:
    """`times` is how often the threshold fits into what there is."""
    if not milestone.repeat:
        return 100 if reached else int(100 * min(times, Fraction(1)))
    return int(100 * (times % 1))


def _plain(number: Fraction) -> int | Decimal:
    return int(number) if number.denominator == 1 else decimal_of(number)
