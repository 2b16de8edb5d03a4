"""How far a player is with each milestone, and when it was reached."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.progress import MilestoneProgress, progress_of
from grapevine.table import player_keys, store
from grapevine.table.keys import Key
from grapevine.table.ledger import MilestoneAward
from grapevine.table.players import Player


@dataclass(frozen=True, slots=True)
class Standing:
    """`reached_at` (ms) is when the milestone was reached the last time."""

    progress: MilestoneProgress
    reached_at: int | None


def milestones_of(played: Played, player: Player) -> list[Standing]:
    """In the order of the configuration, as of now: a streak may have ended since the last event.
    One read of all that were reached."""
    progress = progress_of(played.configuration, player, runtime.now_ms())
    found = store.get_many(_last_award(player, each) for each in progress if each.reached_count)
    awards = {place: MilestoneAward.from_item(item) for place, item in found.items()}
    standings = []
    for each in progress:
        award = awards.get(_last_award(player, each)) if each.reached_count else None
        standings.append(Standing(each, award.at if award else None))
    return standings


def _last_award(player: Player, progress: MilestoneProgress) -> Key:
    """An award is known by how often the milestone had been reached with it."""
    return player_keys.milestone_award(
        player.campaign_id, player.user_id, progress.milestone.id, progress.reached_count
    )
