"""An earned reward after it was earned: approved, fulfilled, or removed while unapproved.

Each is one transaction under the reward's version; approving also counts in the earner's earnings.
Of two that race, one succeeds and the other is told the state it then finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from grapevine import runtime
from grapevine.engine.access import Caller
from grapevine.engine.attempts import attempts
from grapevine.engine.rewards.earning import earnings_write
from grapevine.errors import InvalidRewardState, NotFound
from grapevine.table import keys, store
from grapevine.table.campaigns import Campaign
from grapevine.table.rewards import EarnedReward, Earnings, key_of_earned
from grapevine.table.store import TransactionCanceled
from grapevine.table.writes import Delete, Put, Write, version


@dataclass(frozen=True, slots=True)
class _Held:
    reward: EarnedReward
    earnings: Earnings


def approve(caller: Caller, campaign: Campaign, earned_id: str, *, fulfill: bool) -> None:
    """Approves a pending reward, and fulfills it with `fulfill`.

    Raises:
        NotAuthorized: fulfilling needs a scope of its own.
        NotFound: no such reward, or its earner has been deleted.
        InvalidRewardState: it has been approved already.
        Busy
    """
    if fulfill:
        caller.require("reward:fulfill")

    def approval(held: _Held) -> list[Write]:
        if held.reward.approved_at is not None:
            raise InvalidRewardState("Reward has already been approved.")
        now = runtime.now_ms()
        earnings = replace(
            held.earnings,
            version=held.earnings.version + 1,
            approved=held.earnings.approved + 1,
        )
        approved = replace(held.reward, approved_at=now, fulfilled_at=now if fulfill else None)
        return [_changed(held.reward, approved), earnings_write(held.earnings, earnings)]

    _write(campaign, earned_id, approval)


def fulfill(campaign: Campaign, earned_id: str) -> None:
    """Marks an approved reward as handed out.

    Raises:
        NotFound
        InvalidRewardState: it has not been approved, or has been fulfilled already.
        Busy
    """

    def fulfillment(held: _Held) -> list[Write]:
        if held.reward.approved_at is None:
            raise InvalidRewardState("Reward has not been approved.")
        if held.reward.fulfilled_at is not None:
            raise InvalidRewardState("Reward has already been fulfilled.")
        return [_changed(held.reward, replace(held.reward, fulfilled_at=runtime.now_ms()))]

    _write(campaign, earned_id, fulfillment)


def remove(campaign: Campaign, earned_id: str) -> None:
    """Removes a reward that has not been approved. It still counts as earned once.

    Raises:
        NotFound
        InvalidRewardState: it has been approved.
        Busy
    """

    def removal(held: _Held) -> list[Write]:
        if held.reward.approved_at is not None:
            raise InvalidRewardState("This reward has already been approved and cannot be removed.")
        return [Delete(held.reward.key, version(held.reward.version))]

    _write(campaign, earned_id, removal)


def _changed(before: EarnedReward, after: EarnedReward) -> Put:
    changed = replace(after, version=before.version + 1)
    return Put(changed.to_item(), version(before.version))


def _write(campaign: Campaign, earned_id: str, decide: Callable[[_Held], list[Write]]) -> None:
    for _ in attempts():
        try:
            store.transact(decide(_held(campaign.campaign_id, earned_id)))
        except TransactionCanceled:
            continue
        return


def _held(campaign_id: str, earned_id: str) -> _Held:
    reward_key = key_of_earned(campaign_id, earned_id)
    if reward_key is not None:
        earnings_key = keys.earnings(campaign_id, keys.participant_in(reward_key.partition))
        found = store.get_many([reward_key, earnings_key])
        if reward_key in found and earnings_key in found:
            earnings = Earnings.from_item(found[earnings_key])
            if earnings.deleted_at is None:
                return _Held(EarnedReward.from_item(found[reward_key]), earnings)
    raise NotFound("There is no reward with this id.")
