"""Milestones: what an event adds to a player's progress, and which ones it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from grapevine.engine.mechanics.conditions import sum_at, values_at
from grapevine.engine.mechanics.counters import (
    HASH_LENGTH,
    MOST_DISTINCT,
    Counters,
    hash_of_value,
)
from grapevine.engine.mechanics.numbers import decimal_of, number_in, spelled
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.parts import (
    DistinctValues,
    EventCount,
    MetadataSum,
    Milestone,
    PointsTotal,
    Streak,
)
from grapevine.engine.mechanics.periods import Periods

MOST_TIMES = 1000
"""How often one event reaches one milestone; the rest waits for the player's next event."""

Progress = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fired:
    """A milestone that was reached `times` more, `number` times by now, for `points` in all."""

    milestone: Milestone
    times: int
    number: int

    @property
    def points(self) -> int:
        return self.milestone.reward.points * self.times

    @property
    def extra_plays(self) -> int:
        return self.milestone.reward.extra_plays * self.times


def count_event(
    milestones: Iterable[Milestone], counters: Counters, occurrence: Occurrence, periods: Periods
) -> None:
    """Adds an event to the progress of every milestone that it is about."""
    for milestone in milestones:
        metric = milestone.metric
        if isinstance(metric, PointsTotal) or metric.event_type != occurrence.event_type:
            continue
        if not occurrence.is_trusted(milestone.require_trust):
            continue
        progress = counters.progress(milestone)
        match metric:
            case EventCount():
                progress["count"] = progress.get("count", 0) + 1
            case MetadataSum():
                _add_sum(progress, sum_at(occurrence.metadata, metric.field))
            case DistinctValues():
                _add_values(progress, values_at(occurrence.metadata, metric.field))
            case Streak():
                _add_period(progress, periods.number(metric.period), int(milestone.threshold))


def reached_by(
    milestones: Sequence[Milestone], counters: Counters, total_points: int
) -> list[Fired]:
    """The milestones that are reached now, in the order of the list, counted in `counters`.

    Their points count towards `points_total`, so it goes on until nothing new is reached. It ends:
    what may fire again and again by points gives none.
    """
    times: dict[str, int] = {}
    while True:
        before = dict(times)
        for milestone in milestones:
            progress = counters.progress(milestone)
            fired = times.get(milestone.id, 0)
            due = _due(milestone, progress, total_points) - progress["reached"]
            more = min(due, MOST_TIMES - fired)
            if more > 0:
                progress["reached"] += more
                times[milestone.id] = fired + more
                total_points += milestone.reward.points * more
        if times == before:
            break
    fired_ones = [
        Fired(each, times[each.id], counters.progress(each)["reached"])
        for each in milestones
        if each.id in times
    ]
    for each in fired_ones:
        if each.extra_plays:
            counters.add_extra_plays(each.extra_plays)
    return fired_ones


def current_of(milestone: Milestone, progress: Progress, total_points: int) -> Fraction:
    """How far a player is: what `threshold` is compared with; of a streak the one that runs, as
    of the last event."""
    match milestone.metric:
        case PointsTotal():
            return Fraction(total_points)
        case EventCount():
            return Fraction(progress.get("count", 0))
        case MetadataSum():
            return Fraction(progress.get("sum", "0"))
        case DistinctValues():
            return Fraction(len(progress.get("values", "")) // HASH_LENGTH)
        case Streak():
            return Fraction(progress.get("current", 0))


def _due(milestone: Milestone, progress: Progress, total_points: int) -> int:
    """How often a player has reached a milestone, all in all."""
    if isinstance(milestone.metric, Streak):
        times = int(progress.get("runs", 0))
    else:
        times = int(current_of(milestone, progress, total_points) // Fraction(milestone.threshold))
    return times if milestone.repeat else min(times, 1)


def _add_sum(progress: Progress, amount: Fraction) -> None:
    """Only what is above zero: a sum never falls."""
    if amount > 0:
        progress["sum"] = spelled(decimal_of(Fraction(progress.get("sum", "0")) + amount))


def _add_values(progress: Progress, values: Iterable[Any]) -> None:
    """Up to `MOST_DISTINCT` of them; the hashes stand in one text, eight characters each."""
    known = str(progress.get("values", ""))
    hashes = [known[at : at + HASH_LENGTH] for at in range(0, len(known), HASH_LENGTH)]
    for value in values:
        each = hash_of_value(_spelled(value))
        if each not in hashes and len(hashes) < MOST_DISTINCT:
            hashes.append(each)
    progress["values"] = "".join(hashes)


def _spelled(value: Any) -> str:
    """Equal for equal values: 1 and 1.0 are one, 1 and "1" are two."""
    if isinstance(value, str):
        return f"text {value}"
    number = number_in(value)
    return f"number {spelled(number)}" if number is not None else f"other {value}"


def _add_period(progress: Progress, number: int, threshold: int) -> None:
    """A period that follows the last one makes the streak longer, a later one starts it anew.
    `runs` counts how often a streak came to a multiple of the threshold."""
    last = progress.get("last")
    if last is not None and number <= last:
        return
    current = progress.get("current", 0) + 1 if last == number - 1 else 1
    progress["last"], progress["current"] = number, current
    progress["longest"] = max(current, progress.get("longest", 0))
    if current % threshold == 0:
        progress["runs"] = progress.get("runs", 0) + 1
