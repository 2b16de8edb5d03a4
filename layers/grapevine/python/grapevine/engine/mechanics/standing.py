"""How a player stands: the points, the rank, and how far it is to each milestone."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine import runtime
from grapevine.engine.mechanics.board import rank_of
from grapevine.engine.mechanics.campaign import Played, played
from grapevine.engine.mechanics.progress import MilestoneProgress, progress_of
from grapevine.engine.mechanics.reading import player_of
from grapevine.table import player_keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.ledger import MilestoneAward
from grapevine.table.players import Player


@dataclass(frozen=True, slots=True)
class Standing:
    """`reached_at` (ms) is when the milestone was reached the last time."""

    progress: MilestoneProgress
    reached_at: int | None


@dataclass(frozen=True, slots=True)
class Described:
    """`rank` as in `engine/mechanics/board.py`; `milestones` where they were asked for."""

    player: Player
    rank: int | None
    milestones: list[Standing] | None


def described(campaign: Campaign, user_id: str, *, with_progress: bool) -> Described:
    """Raises NotFound."""
    player = player_of(campaign, user_id)
    game = played(campaign)
    milestones = milestones_of(game, player) if with_progress else None
    return Described(player, rank_of(game, player), milestones)


def milestones_of(game: Played, player: Player) -> list[Standing]:
    """In the order of the configuration, as of now: a streak may have ended since the last event.
    One read of all that were reached."""
    progress = progress_of(game.configuration, player, runtime.now_ms())
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
