"""Rewards: what a campaign offers, what participants have earned, and how often.

A participant's earnings are one small item: it numbers the rewards, counts them by campaign reward
and window, and is a condition of every transaction that earns or approves one. An earned reward's
id holds the participant's id and the number, so it says where the item lives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from grapevine.table import keys, store
from grapevine.table.entity import Entity, as_json
from grapevine.table.keys import Key

RewardType = Literal["SINGLE_SIDED", "DOUBLE_SIDED", "MILESTONE", "LEADERBOARD"]
LimitDuration = Literal["IN_TOTAL", "PER_MONTH", "PER_YEAR"]

_EARNED_ID = re.compile(r"prew_([A-Za-z0-9]+)_([1-9][0-9]{0,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardConfig(Entity):
    """What a campaign offers. `leaderboard_winners` are chosen once, when the campaign ends;
    `deleted_at` keeps a deleted one for those who have earned it."""

    TYPE: ClassVar[str] = "RewardConfig"

    campaign_id: str
    reward_id: str
    version: int = 0
    reward_type: RewardType
    created_at: int
    title: str | None = None
    description: str | None = None
    referral_description: str | None = None
    image_url: str | None = None
    image_icon_key: str | None = None
    is_visible: bool = True
    is_unlimited: bool = True
    limit: int = 1
    limit_duration: LimitDuration = "IN_TOTAL"
    conversions_required: int = 1
    number_of_winners: int = 3
    referred_reward_upfront: bool = False
    order: int | None = None
    next_milestone_prefix: str | None = None
    next_milestone_suffix: str | None = None
    coupon_code: str | None = None
    referral_coupon_code: str | None = None
    metadata: dict[str, str] = as_json()
    value: dict[str, Any] = as_json()
    referred_value: dict[str, Any] = as_json()
    leaderboard_winners: tuple[str, ...] | None = None
    deleted_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.reward_config(self.campaign_id, self.reward_id)

    @property
    def is_offered(self) -> bool:
        return self.is_visible and self.deleted_at is None

    @property
    def place(self) -> tuple[bool, int, int, str]:
        """Sorts by `order` where it is set, then by creation."""
        return (self.order is None, self.order or 0, self.created_at, self.reward_id)


def configs_of(campaign_id: str) -> list[RewardConfig]:
    """All reward configs that a campaign ever had, in the order to evaluate and to show them."""
    items = store.query(None, keys.campaign(campaign_id).partition, prefix=keys.REWARD_PREFIX)
    return sorted(map(RewardConfig.from_item, items), key=lambda config: config.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnedReward(Entity):
    """`referrer_id` referred `referred_id`, whose conversion produced it (None on a leaderboard).
    `won_in` is the month whose leaderboard it was won on. Times in ms."""

    TYPE: ClassVar[str] = "EarnedReward"

    campaign_id: str
    participant_id: str
    number: int
    version: int = 0
    reward_id: str
    is_referrer: bool
    referrer_id: str
    referred_id: str | None = None
    created_at: int
    approved_at: int | None = None
    fulfilled_at: int | None = None
    won_in: int | None = None

    @property
    def key(self) -> Key:
        return keys.earned_reward(self.campaign_id, self.participant_id, self.number)

    @property
    def earned_id(self) -> str:
        return f"prew_{self.participant_id}_{self.number}"


def key_of_earned(campaign_id: str, earned_id: str) -> Key | None:
    """Where the reward with this id lives; None when nothing can have this id."""
    named = _EARNED_ID.fullmatch(earned_id)
    if named is None or not keys.is_id(named[1]):
        return None
    return keys.earned_reward(campaign_id, named[1], int(named[2]))


def number_of_earned(participant_id: str, earned_id: str) -> int | None:
    """The number in the id of one of this participant's rewards; None for any other id."""
    named = _EARNED_ID.fullmatch(earned_id)
    return int(named[2]) if named and named[1] == participant_id else None


def earned_by(
    campaign_id: str, participant_id: str, limit: int, *, from_number: int | None = None
) -> list[EarnedReward]:
    """Up to `limit` of a participant's rewards, newest first, from `from_number` on."""
    partition = keys.earnings(campaign_id, participant_id).partition
    last = keys.earned_reward(campaign_id, participant_id, from_number or 10**10 - 1)
    first = keys.earned_reward(campaign_id, participant_id, 0)
    items = store.query(
        None, partition, limit=limit, descending=True, between=(first.sort, last.sort)
    )
    return [EarnedReward.from_item(item) for item in items]


@dataclass(frozen=True, slots=True)
class Times:
    """How often a participant has earned one campaign reward as referrer: in total, in the last
    month and in the last year in which it did."""

    total: int = 0
    month: int = 0
    in_month: int = 0
    year: int = 0
    in_year: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Earnings(Entity):
    """`earned` numbers the rewards; `approved` counts those that were ever approved; `times` has
    a `Times` as a list for each campaign reward. With `deleted_at` it is a tombstone."""

    TYPE: ClassVar[str] = "Earnings"

    campaign_id: str
    participant_id: str
    version: int = 0
    earned: int = 0
    approved: int = 0
    times: dict[str, list[int]] = as_json()
    deleted_at: int | None = None
    expires_at: int | None = None

    @property
    def key(self) -> Key:
        return keys.earnings(self.campaign_id, self.participant_id)

    def times_of(self, reward_id: str) -> Times:
        return Times(*self.times.get(reward_id, ()))

    @property
    def is_winner(self) -> bool:
        return self.deleted_at is None and self.approved > 0
