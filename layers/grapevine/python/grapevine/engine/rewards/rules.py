"""Who earns what by a credit, as a pure function of configs, counts and what was earned before.

Within a reward's window (in total, this month, this year) let n be the referrer's credited
referrals, c the conversions a reward takes, e how often the referrer has earned it, L its limit.

- SINGLE_SIDED and DOUBLE_SIDED: earned when n is a multiple of c, e < L and e < n / c. The last
  one matters when a credited friend was deleted: the same multiple reached again earns nothing.
- MILESTONE: earned once n has reached c and e = 0.
- LEADERBOARD: never by a credit.

The friend's half of a double-sided reward comes with the referrer's, or at sign-up when it is
`referred_reward_upfront`; it does not count against the referrer's limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from grapevine.months import month_at, year_of
from grapevine.table.rewards import EarnedReward, Earnings, RewardConfig, Times
from grapevine.table.standings import Standing


@dataclass(frozen=True, slots=True)
class Approval:
    """What happens to a reward when it is earned (requireManualRewardApproval, autoFulfill)."""

    manual: bool
    fulfills: bool


@dataclass(frozen=True, slots=True)
class Earned:
    """A participant's earnings after, and the rewards that are new."""

    earnings: Earnings
    rewards: tuple[EarnedReward, ...] = ()


def earned_by_referrer(
    configs: Sequence[RewardConfig], counts: Standing, before: Earnings, month: int
) -> list[RewardConfig]:
    """The configs that the referrer earns with the credit that `counts` already contains."""
    return [
        config
        for config in configs
        if config.is_offered and _fires(config, counts, before.times_of(config.reward_id), month)
    ]


def _fires(config: RewardConfig, counts: Standing, times: Times, month: int) -> bool:
    referrals, earned = _in_window(config, counts, times, month)
    required = config.conversions_required
    if config.reward_type == "MILESTONE":
        return referrals >= required and earned == 0
    if config.reward_type not in {"SINGLE_SIDED", "DOUBLE_SIDED"}:
        return False
    within_limit = config.is_unlimited or earned < config.limit
    return referrals % required == 0 and within_limit and earned < referrals // required


def _in_window(config: RewardConfig, counts: Standing, times: Times, month: int) -> tuple[int, int]:
    """Referrals and times earned within the reward's window."""
    match config.limit_duration:
        case "PER_MONTH":
            return counts.count_in(month), times.in_month if times.month == month else 0
        case "PER_YEAR":
            year = year_of(month)
            return counts.count_in_year(year), times.in_year if times.year == year else 0
    return counts.referral_count, times.total


def earned_with_referrer(configs: Iterable[RewardConfig]) -> list[RewardConfig]:
    """Of the configs that a referrer has just earned, those whose other half is the friend's."""
    return [
        config
        for config in configs
        if config.reward_type == "DOUBLE_SIDED" and not config.referred_reward_upfront
    ]


def earned_at_signup(configs: Iterable[RewardConfig]) -> list[RewardConfig]:
    """What somebody earns by joining as a referred friend."""
    return [
        config
        for config in configs
        if config.is_offered
        and config.reward_type == "DOUBLE_SIDED"
        and config.referred_reward_upfront
    ]


def granted(
    before: Earnings,
    configs: Sequence[RewardConfig],
    *,
    referrer_id: str,
    referred_id: str | None,
    approval: Approval,
    now: int,
    won_in: int | None = None,
) -> Earned:
    """The earner of `before` gets one of each config; numbers go on from the last one. They count
    in the month of `now` (ms), or in the one whose leaderboard they were won on."""
    month = month_at(now) if won_in is None else won_in
    rewards = tuple(
        EarnedReward(
            campaign_id=before.campaign_id,
            participant_id=before.participant_id,
            number=before.earned + offset,
            reward_id=config.reward_id,
            is_referrer=before.participant_id == referrer_id,
            referrer_id=referrer_id,
            referred_id=referred_id,
            created_at=now,
            approved_at=None if approval.manual else now,
            fulfilled_at=now if approval.fulfills else None,
            won_in=won_in,
        )
        for offset, config in enumerate(configs, start=1)
    )
    if not rewards:
        return Earned(before)
    times = dict(before.times)
    if before.participant_id == referrer_id:
        for config in configs:
            times[config.reward_id] = _one_more(before.times_of(config.reward_id), month)
    after = replace(
        before,
        version=before.version + 1,
        earned=before.earned + len(rewards),
        approved=before.approved + (0 if approval.manual else len(rewards)),
        times=times,
    )
    return Earned(after, rewards)


def _one_more(times: Times, month: int) -> list[int]:
    year = year_of(month)
    in_month = times.in_month if times.month == month else 0
    in_year = times.in_year if times.year == year else 0
    return [times.total + 1, month, in_month + 1, year, in_year + 1]
