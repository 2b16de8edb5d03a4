"""Rewards earned inside the transaction of the credit or the sign-up that earns them.

The earner's earnings carry a version that is a condition of the same transaction, and number the
rewards: a repeated or racing transaction fails as a whole and earns nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grapevine.engine.program import options_of
from grapevine.engine.rewards import rules
from grapevine.engine.rewards.rules import Approval, Earned
from grapevine.months import month_at
from grapevine.table import keys
from grapevine.table.attributes import Item
from grapevine.table.campaigns import Campaign
from grapevine.table.keys import Key
from grapevine.table.referrals import Referral
from grapevine.table.rewards import Earnings, RewardConfig, configs_of
from grapevine.table.standings import Standing
from grapevine.table.writes import ABSENT, Put, Write, version


@dataclass(frozen=True, slots=True)
class Offer:
    """What the campaign gives, in the order of evaluation, and how rewards are approved."""

    configs: Sequence[RewardConfig]
    approval: Approval


def offer_of(campaign: Campaign) -> Offer:
    options = options_of(campaign)
    approval = Approval(options.require_manual_reward_approval, options.auto_fulfill_rewards)
    return Offer(configs_of(campaign.campaign_id), approval)


def earnings_in(found: Mapping[Key, Item], campaign_id: str, participant_id: str) -> Earnings:
    """The participant's earnings among items already read; empty where there are none yet."""
    item = found.get(keys.earnings(campaign_id, participant_id))
    if item is None:
        return Earnings(campaign_id=campaign_id, participant_id=participant_id)
    return Earnings.from_item(item)


@dataclass(slots=True)
class Grants:
    """What one transaction gives to whom."""

    offer: Offer
    _earned: dict[str, tuple[Earnings, list[Earned]]] = field(default_factory=dict)

    def signup(self, friend: Earnings, referral: Referral) -> None:
        """What the friend earns by joining, whatever becomes of the credit."""
        self._grant(friend, rules.earned_at_signup(self.offer.configs), referral)

    def credit(
        self, referral: Referral, counts: Standing, referrer: Earnings, friend: Earnings
    ) -> None:
        """What a credit earns for both sides; `counts` already contains it."""
        month = month_at(referral.updated_at)
        configs = rules.earned_by_referrer(self.offer.configs, counts, referrer, month)
        self._grant(referrer, configs, referral)
        self._grant(friend, rules.earned_with_referrer(configs), referral)

    def _grant(self, before: Earnings, configs: Sequence[RewardConfig], referral: Referral) -> None:
        first, steps = self._earned.setdefault(before.participant_id, (before, []))
        steps.append(
            rules.granted(
                steps[-1].earnings if steps else first,
                configs,
                referrer_id=referral.referrer_id,
                referred_id=referral.referred_id,
                approval=self.offer.approval,
                now=referral.updated_at,
            )
        )

    def writes(self) -> list[Write]:
        """Nothing for somebody who earns nothing."""
        writes: list[Write] = []
        for before, steps in self._earned.values():
            rewards = [reward for step in steps for reward in step.rewards]
            if rewards:
                writes.append(earnings_write(before, steps[-1].earnings))
                writes += [Put(reward.to_item(), ABSENT) for reward in rewards]
        return writes


def earnings_write(before: Earnings, after: Earnings) -> Put:
    """`before` as it was read; its version is 0 where there was no item."""
    return Put(after.to_item(), version(before.version) if before.version else ABSENT)
