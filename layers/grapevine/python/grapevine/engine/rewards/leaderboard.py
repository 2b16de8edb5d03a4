"""Leaderboard rewards: what a winner gets, and who wins at a campaign's end, once per campaign.

The winners are chosen and written down before the first of them is rewarded, so a repetition after
a crash rewards the same ones; who has the reward already is passed over. A campaign that is resumed
and ends again gives nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from grapevine import runtime
from grapevine.engine.attempts import attempts
from grapevine.engine.credit import Referrer, find_referrer
from grapevine.engine.month_end.calendar import IN_FLIGHT_MS
from grapevine.engine.parallel import in_parallel
from grapevine.engine.rewards import rules
from grapevine.engine.rewards.earning import Offer, earnings_in, earnings_write, offer_of
from grapevine.errors import Busy
from grapevine.table import keys, standings, store
from grapevine.table.campaigns import Campaign
from grapevine.table.rewards import RewardConfig
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import ABSENT, Check, Put, Write, version


def settle_end(campaign: Campaign) -> None:
    """Gives the leaderboard rewards of a campaign that has ended, then marks its end as settled.
    Who wins is decided when the last credits of the campaign have been committed.

    Safe to repeat; does nothing for a campaign that has been resumed.

    Raises:
        Busy
    """
    if campaign.status != "COMPLETE" or campaign.end_settled_at is not None:
        return
    offer = offer_of(campaign)
    won = [config for config in offer.configs if _is_won_at_the_end(config)]
    decided_at = (campaign.ended_at or 0) + IN_FLIGHT_MS
    if runtime.now_ms() < decided_at and any(one.leaderboard_winners is None for one in won):
        later = replace(campaign, version=campaign.version + 1, due_at=decided_at)
        _transact([Put(later.to_item(), version(campaign.version))])
        return
    for config in won:
        waiting = _without_it(config, _winners(config))
        in_parallel([partial(_award, offer, config, winner) for winner in waiting])
    settled = replace(
        campaign,
        version=campaign.version + 1,
        end_settled_at=runtime.now_ms(),
        due_shard=None,
        due_at=None,
    )
    _transact([Put(settled.to_item(), version(campaign.version))])


def _is_won_at_the_end(config: RewardConfig) -> bool:
    is_of_the_end = config.reward_type == "LEADERBOARD" and config.limit_duration == "IN_TOTAL"
    return is_of_the_end and config.is_offered


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


def _without_it(config: RewardConfig, winners: Sequence[str]) -> list[str]:
    """Those who do not have the reward yet: a repetition goes on where the one before it stopped,
    however many winners there are."""
    campaign_id = config.campaign_id
    found = store.get_many(keys.earnings(campaign_id, winner) for winner in winners)
    return [
        winner
        for winner in winners
        if not earnings_in(found, campaign_id, winner).times_of(config.reward_id).total
    ]


def _transact(writes: list[Write]) -> None:
    try:
        store.transact(writes)
    except TransactionCanceled:
        # Somebody changed it meanwhile: the message comes again and finds the new state.
        raise Busy from None


def _award(offer: Offer, config: RewardConfig, winner_id: str) -> None:
    for _ in attempts():
        winner = find_referrer(config.campaign_id, winner_id)
        if winner is None or winner.earnings.times_of(config.reward_id).total:
            return
        try:
            store.transact(winning(winner, [config], offer))
        except TransactionCanceled:
            continue
        return


def winning(
    winner: Referrer, configs: Sequence[RewardConfig], offer: Offer, won_in: int | None = None
) -> list[Write]:
    """Gives the winner one of each config: of the campaign's end, or of the month `won_in`."""
    standing, before = winner.standing, winner.earnings
    earned = rules.granted(
        before,
        configs,
        referrer_id=standing.participant_id,
        referred_id=None,
        approval=offer.approval,
        now=runtime.now_ms(),
        won_in=won_in,
    )
    return [
        # The winner must not be deleted in this moment.
        Check(standing.key, version(standing.version)),
        earnings_write(before, earned.earnings),
        *(Put(reward.to_item(), ABSENT) for reward in earned.rewards),
    ]
