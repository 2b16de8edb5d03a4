"""Leaderboard rewards at the end of a campaign: the best referrers win, once per campaign.

The winners are chosen and written down before the first of them is rewarded, so a repetition after
a crash rewards the same ones; who has the reward already is passed over. A campaign that is resumed
and ends again gives nothing more.
"""

from __future__ import annotations

from dataclasses import replace

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.rewards import rules
from grapevine.engine.rewards.earning import Offer, earnings_in, earnings_write, offer_of
from grapevine.errors import Busy
from grapevine.months import month_at
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign
from grapevine.table.rewards import RewardConfig
from grapevine.table.standings import Standing
from grapevine.table.store import ABSENT, Check, Put, TransactionCanceled, Write, version


def settle_end(campaign: Campaign) -> None:
    """Gives the leaderboard rewards of a campaign that has ended, then marks its end as settled.

    Safe to repeat; does nothing for a campaign that has been resumed.

    Raises:
        Busy
    """
    if campaign.status != "COMPLETE" or campaign.end_settled_at is not None:
        return
    offer = offer_of(campaign)
    for config in offer.configs:
        is_due = config.reward_type == "LEADERBOARD" and config.limit_duration == "IN_TOTAL"
        if is_due and config.is_offered:
            for winner in _winners(config):
                _award(offer, config, winner)
    settled = replace(
        campaign,
        version=campaign.version + 1,
        end_settled_at=runtime.now_ms(),
        due_shard=None,
        due_at=None,
    )
    _transact([Put(settled.to_item(), version(campaign.version))])


def _winners(config: RewardConfig) -> tuple[str, ...]:
    """The participants who win: chosen now, unless they have been before."""
    if config.leaderboard_winners is not None:
        return config.leaderboard_winners
    wanted = config.number_of_winners
    best = standings.all_time_places(config.campaign_id, limit=wanted) if wanted else []
    chosen = tuple(place.participant_id for place in best if place.count)
    after = replace(config, version=config.version + 1, leaderboard_winners=chosen)
    _transact([Put(after.to_item(), version(config.version))])
    return chosen


def _transact(writes: list[Write]) -> None:
    try:
        store.transact(writes)
    except TransactionCanceled:
        # Somebody changed it meanwhile: the message comes again and finds the new state.
        raise Busy from None


def _award(offer: Offer, config: RewardConfig, winner: str) -> None:
    campaign_id = config.campaign_id
    standing_key = keys.standing(campaign_id, winner)
    for _ in attempts():
        found = store.get_many([standing_key, keys.earnings(campaign_id, winner)])
        item = found.get(standing_key)
        if item is None or (standing := Standing.from_item(item)).deleted_at is not None:
            return
        before = earnings_in(found, campaign_id, winner)
        if before.times_of(config.reward_id).total:
            return
        now = runtime.now_ms()
        earned = rules.granted(
            before,
            [config],
            referrer_id=winner,
            referred_id=None,
            approval=offer.approval,
            month=month_at(now),
            now=now,
        )
        writes: list[Write] = [
            # The winner must not be deleted in this moment.
            Check(standing_key, version(standing.version)),
            earnings_write(before, earned.earnings),
            *(Put(reward.to_item(), ABSENT) for reward in earned.rewards),
        ]
        try:
            store.transact(writes)
        except TransactionCanceled:
            continue
        return
