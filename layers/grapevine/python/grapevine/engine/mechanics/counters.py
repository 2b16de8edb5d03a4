"""What is counted of one player: a working copy of `Player.counters` that an event changes.

What bounds it: a tally for each rule, a count for each tier and a progress for each milestone of
the configuration, and for at most `MOST_RETIRED` of each that have left it (so that one that comes
back does not pay again; of a milestone that was forgotten nevertheless the last award is looked
up). A progress holds at most `MOST_DISTINCT` hashes of eight characters, that of a milestone which
has left none of them. So the largest player is a third of what an item may be.
"""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from grapevine.engine.mechanics.numbers import spelled
from grapevine.engine.mechanics.parts import Milestone
from grapevine.engine.mechanics.periods import Periods
from grapevine.table.points_board import Period

MOST_RETIRED = 100
MOST_DISTINCT = 500
HASH_LENGTH = 8

PERIODS: tuple[Period, ...] = ("day", "week", "month")

BOARDS = "boards"
"""What `period_scores.py` counts: of each kind of period the last one, so it is bounded."""

Tally = dict[str, Any]
"""A `total`, and for each kind of period the number of the last one and the count in it."""


class Counters:
    """Changes nothing outside of itself; `stored` gives what to store."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        kept: dict[str, Any] = copy.deepcopy(dict(stored))
        self.rules: dict[str, Tally] = kept.get("rules", {})
        self.points: Tally = kept.get("points", {})
        self.plays: Tally = kept.get("plays", {})
        self.wins: dict[str, int] = kept.get("wins", {})
        self.milestones: dict[str, dict[str, Any]] = kept.get("milestones", {})
        self.boards: dict[str, list[int]] = kept.get(BOARDS, {})

    def stored(
        self, rules: Iterable[str], tiers: Iterable[str], milestones: Iterable[str]
    ) -> dict[str, Any]:
        """Without what is empty, and of the ids that are not configured only the newest."""
        configured = set(milestones)
        parts: dict[str, Any] = {
            "rules": _bounded(self.rules, set(rules)),
            "points": self.points,
            "plays": self.plays,
            "wins": _bounded(self.wins, set(tiers)),
            "milestones": _without_values(_bounded(self.milestones, configured), configured),
            BOARDS: self.boards,
        }
        return {name: part for name, part in parts.items() if part}

    def rule(self, rule_id: str) -> Tally:
        return self.rules.setdefault(rule_id, {})

    def count_win(self, tier_id: str) -> None:
        # The newest stands last: see _bounded.
        self.wins[tier_id] = self.wins.pop(tier_id, 0) + 1

    @property
    def wins_total(self) -> int:
        return sum(self.wins.values())

    def progress(self, milestone: Milestone) -> dict[str, Any]:
        """What was counted for a milestone. One that measures something else than before starts
        over, but what it has given stays given."""
        measure = _measure(milestone)
        found = self.milestones.get(milestone.id)
        if found is None or found["of"] != measure:
            reached = found["reached"] if found else 0
            found = self.milestones[milestone.id] = {"of": measure, "reached": reached}
        return found

    @property
    def extra_plays(self) -> int:
        return int(self.plays.get("extra", 0))

    def add_extra_plays(self, count: int) -> None:
        self.plays["extra"] = self.extra_plays + count


def total_of(tally: Tally) -> int:
    return int(tally.get("total", 0))


def count_of(tally: Tally, period: Period, periods: Periods) -> int:
    """The count in the period of now."""
    number, count = tally.get(period, (None, 0))
    return int(count) if number == periods.number(period) else 0


def add_to(tally: Tally, count: int, periods: Periods) -> None:
    for period in PERIODS:
        tally[period] = [periods.number(period), count_of(tally, period, periods) + count]
    tally["total"] = total_of(tally) + count


def hash_of_value(value: str) -> str:
    """48 bits: of the values that are kept, no two meet by chance in a thousand million players."""
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest)[:HASH_LENGTH].decode()


def _measure(milestone: Milestone) -> str:
    text = f"{milestone.metric.model_dump_json()} {spelled(milestone.threshold)}"
    return hash_of_value(text)


def _bounded(counted: Mapping[str, Any], configured: set[str]) -> dict[str, Any]:
    """Ids stand in the order in which they were first counted."""
    retired = [each for each in counted if each not in configured]
    forgotten = set(retired[:-MOST_RETIRED])
    return {each: value for each, value in counted.items() if each not in forgotten}


def _without_values(
    progress: Mapping[str, dict[str, Any]], configured: set[str]
) -> dict[str, dict[str, Any]]:
    """The hashes are by far the most of what is counted. A milestone that comes back without them
    counts its values anew, and gives nothing that it has given."""
    return {
        each: counted
        if each in configured
        else {name: value for name, value in counted.items() if name != "values"}
        for each, counted in progress.items()
    }


def may_have_forgotten(stored: Mapping[str, Any]) -> bool:
    """Whether a player may have reached milestones of which nothing is counted any more."""
    return len(stored.get("milestones", {})) >= MOST_RETIRED


def with_reached(stored: Mapping[str, Any], reached: Mapping[str, int]) -> dict[str, Any]:
    """What is counted of a player, with milestones that had been forgotten: they were reached so
    often at least. `of` is what none measures, so they start over."""
    kept: dict[str, Any] = copy.deepcopy(dict(stored))
    milestones = kept.setdefault("milestones", {})
    for each, times in reached.items():
        found = milestones.setdefault(each, {"of": "", "reached": 0})
        found["reached"] = max(found["reached"], times)
    return kept
