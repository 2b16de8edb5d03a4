"""What the tries of one event to be written have found out, for the next one to know."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from grapevine.engine.mechanics.counters import with_reached
from grapevine.engine.mechanics.moments import Moment
from grapevine.engine.mechanics.outcomes import Outcome
from grapevine.table import mechanics_keys
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

    def learn(self, outcome: Outcome, failed: frozenset[Key]) -> None:
        """What a lost transaction tells. If its receipt or its player was there, the next look at
        them decides, and the prize may be had after all. An award that was there while the player
        was as it had been read is of a milestone that has been gone for so long that its player has
        forgotten it: see `counters.py`."""
        if outcome.player.key not in failed:
            self.reached |= {
                award.milestone_id: award.number for award in outcome.awards if award.key in failed
            }
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
