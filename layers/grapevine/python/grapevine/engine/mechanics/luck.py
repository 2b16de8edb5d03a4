"""What the tries of one event to be written have found out, for the next one to know."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from grapevine.engine.mechanics.counters import may_have_forgotten, with_reached
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.outcomes import Outcome
from grapevine.table import histories, mechanics_keys
from grapevine.table.keys import Key
from grapevine.table.players import Player


@dataclass(slots=True)
class Luck:
    """Prizes that are gone, codes that are taken, moments that others were faster to take; and
    milestones that the player had reached and forgotten."""

    sold_out: set[str] = field(default_factory=set)
    spent_today: set[str] = field(default_factory=set)
    codes_taken: int = 0
    moments_missed: int = 0
    reached: dict[str, int] = field(default_factory=dict)

    def left_of(self, moments: list[Moment]) -> list[Moment]:
        """Those that can still be won, in the order in which to try. Who has missed the oldest
        does not begin with the next, where all others who have missed it go."""
        left = [moment for moment in moments if moment.tier_id not in self.sold_out]
        first = random.randrange(min(len(left), 2**self.moments_missed) or 1)  # noqa: S311 - a place in a queue, not a secret
        return left[first:] + left[:first]

    def reminded(self, player: Player) -> Player:
        """The player, who knows again of what had been forgotten."""
        if not self.reached:
            return player
        return replace(player, counters=with_reached(player.counters, self.reached))

    def remember(self, before: Player, outcome: Outcome) -> bool:
        """Whether the player, as it was before the outcome, had forgotten a milestone that is
        reached by it: then it is to be judged again. A read for each that nothing is counted of,
        of a player who may have forgotten any: see `counters.py`."""
        if not may_have_forgotten(before.counters):
            return False
        known = before.counters.get("milestones", {})
        found = [
            histories.last_award_of(before.campaign_id, before.user_id, award.milestone_id)
            for award in outcome.awards
            if award.milestone_id not in known
        ]
        forgotten = {award.milestone_id: award.number for award in found if award is not None}
        self.reached |= forgotten
        return bool(forgotten)

    def learn(self, outcome: Outcome, failed: frozenset[Key]) -> None:
        """What a lost transaction tells. If its receipt or its player was there, the next look at
        them decides, and the prize may be had after all."""
        won, campaign_id = outcome.win, outcome.event.campaign_id
        if won is None:
            return
        if mechanics_keys.stock(campaign_id, won.tier_id) in failed:
            self.sold_out.add(won.tier_id)
        elif mechanics_keys.stock_day(campaign_id, won.tier_id, won.day) in failed:
            self.spent_today.add(won.tier_id)
        elif any(mechanics_keys.is_code(key) for key in failed):
            self.codes_taken += 1
        elif won.moment is not None:
            self.moments_missed += 1
