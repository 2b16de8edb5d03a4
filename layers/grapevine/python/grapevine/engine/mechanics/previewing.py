"""What an event would earn, were it recorded now: nothing is written, nobody becomes a player, and
no draw is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grapevine import runtime
from grapevine.engine.mechanics.campaign import Played
from grapevine.engine.mechanics.counters import Counters
from grapevine.engine.mechanics.evaluating import evaluate
from grapevine.engine.mechanics.instant_win import Chance, draws_at, may_play
from grapevine.engine.mechanics.natural_keys import natural_key
from grapevine.engine.mechanics.occurrences import Occurrence
from grapevine.engine.mechanics.outcomes import Reached
from grapevine.engine.mechanics.periods import periods_at
from grapevine.engine.mechanics.receipts import Identity
from grapevine.table import player_keys, store
from grapevine.table.players import Player, new_player


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`plays`: whether it would draw; None where the campaign has no instant win. The rest is as if
    it won nothing. `is_repeated`: its natural key was recorded before."""

    points_earned: int
    total_points: int
    plays: bool | None
    milestones: tuple[Reached, ...] = ()
    is_repeated: bool = False


def preview(played: Played, user_id: str, event_type: str, metadata: Mapping[str, Any]) -> Preview:
    """One read.

    Raises:
        CampaignNotActive, PlayLimitReached, UnknownEventType: as the event itself would.
    """
    at = runtime.now_ms()
    campaign_id, configuration = played.campaign.campaign_id, played.configuration
    sent = Occurrence(
        event_id="preview",
        user_id=user_id,
        event_type=event_type,
        metadata=metadata,
        at=at,
        trust="server",
        source="gamifyhost",
    )
    natural = natural_key(configuration, sent)
    identity = Identity.of(campaign_id, explicit=None, natural=natural, fingerprint="")
    place = player_keys.player(campaign_id, user_id)
    found = store.get_many([*identity.keys(), place])
    player = Player.from_item(found[place]) if place in found else None
    instant_win = configuration.instant_win
    is_on = instant_win is not None and instant_win.enabled
    if identity.first(found) is not None:
        total = player.total_points if player else 0
        plays = False if is_on else None
        return Preview(points_earned=0, total_points=total, plays=plays, is_repeated=True)
    played.require_open_to(sent.source, at)
    before = player or new_player(campaign_id, user_id, at)
    if player is not None:
        sent = replace(sent, at=player.next_at(at))
    outcome = evaluate(configuration, played.config_version, before, sent, Chance())
    periods = periods_at(sent.at, configuration.timezone)
    plays = (
        draws_at(instant_win, sent) and may_play(instant_win, Counters(before.counters), periods)
        if instant_win is not None and is_on
        else None
    )
    return Preview(
        points_earned=outcome.points_earned,
        total_points=outcome.total_points,
        plays=plays,
        milestones=outcome.milestones,
    )
