"""The events that webhooks are sent, field by field as the GrowSurf webhooks have them.

A participant in a webhook is not quite the one of the REST API: its share count is one number, it
has its notes, and no lists (growsurf E.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grapevine.engine.participants.describe import Description
from grapevine.engine.webhooks.transitions import Transition
from grapevine.table.campaigns import Campaign, Totals
from grapevine.table.rewards import EarnedReward, RewardConfig

Json = dict[str, Any]

MOST_WINNERS = 1000


def envelope(transition: Transition, data: Json) -> Json:
    return {"event": transition.name, "createdAt": transition.at, "data": data}


def participant_added(
    shown: Description, campaign: Campaign, configs: Sequence[RewardConfig]
) -> Json:
    """The participant itself is the data."""
    return {
        **_participant_and_referrer(shown),
        "campaign": _campaign(campaign, configs),
    }


def fraud_status_updated(
    shown: Description, campaign: Campaign, configs: Sequence[RewardConfig]
) -> Json:
    return {
        "participant": _participant_and_referrer(shown),
        "campaign": _campaign(campaign, configs),
    }


def goal_reached(
    shown: Description,
    friend: Description | None,
    earned: EarnedReward,
    campaign: Campaign,
    configs: Sequence[RewardConfig],
) -> Json:
    """`friend` is whom the earner referred, where it earned as referrer."""
    participant = _participant_and_referrer(shown)
    if earned.is_referrer and friend is not None:
        participant["referee"] = _participant(friend)
    config = next((one for one in configs if one.reward_id == earned.reward_id), None)
    return {
        "participant": participant,
        "reward": _reward(earned, config),
        "campaign": _campaign(campaign, configs),
    }


def campaign_ended(
    campaign: Campaign,
    totals: Totals,
    winners: Sequence[Description],
    configs: Sequence[RewardConfig],
) -> Json:
    """`winners` are the best first; no more than `MOST_WINNERS` are told."""
    return {
        "id": campaign.campaign_id,
        "name": campaign.name,
        "type": campaign.program_type,
        "participantCount": totals.participant_count,
        "startedAt": campaign.started_at,
        "endedAt": campaign.ended_at,
        "status": "COMPLETE",
        "impressionCount": totals.impression_count,
        "referralCount": totals.referral_count,
        "winnerCount": totals.winner_count,
        "winners": [_participant(winner) for winner in winners[:MOST_WINNERS]],
        "rewards": [_offered(config) for config in configs if config.deleted_at is None],
    }


def _participant(shown: Description) -> Json:
    profile, standing = shown.participant.profile, shown.participant.standing
    return {
        "id": profile.participant_id,
        "email": profile.email,
        "firstName": profile.first_name,
        "lastName": profile.last_name,
        "notes": profile.notes or "",
        "rank": shown.ranks.rank,
        "isWinner": shown.is_winner,
        "referralCount": standing.referral_count,
        "monthlyReferralCount": shown.monthly_referral_count,
        "prevMonthlyReferralCount": shown.prev_monthly_referral_count,
        "shareUrl": shown.share_url,
        "impressionCount": shown.impressions.total,
        "uniqueImpressionCount": shown.impressions.unique,
        "inviteCount": shown.invite_count,
        "shareCount": shown.impressions.share_total,
        "createdAt": profile.created_at,
        "referralSource": shown.referral_source,
        "fraudRiskLevel": profile.fraud_risk_level,
        "fraudReasonCode": profile.fraud_reason_code,
        "unsubscribed": profile.unsubscribed,
        "vanityKeys": list(profile.vanity_keys),
        "metadata": profile.metadata,
    }


def _participant_and_referrer(shown: Description) -> Json:
    """Without a referrer, the two keys of one are left out."""
    told = _participant(shown)
    if shown.referrer is not None:
        told["referredBy"] = shown.referrer.participant.participant_id
        told["referrer"] = _participant(shown.referrer)
    return told


def _reward(earned: EarnedReward, config: RewardConfig | None) -> Json:
    """The earned reward and what the campaign says of it, in one; the friend's side has the
    friend's texts."""
    told: Json = {
        "id": earned.earned_id,
        "rewardId": earned.reward_id,
        "approved": earned.approved_at is not None,
        "approvedAt": earned.approved_at,
        "fulfilledAt": earned.fulfilled_at,
        "isReferrer": earned.is_referrer,
        "referrerId": earned.referrer_id,
        "referredId": earned.referred_id,
        "createdAt": earned.created_at,
    }
    if config is None:
        return told
    description, coupon = config.description, config.coupon_code
    if not earned.is_referrer:
        description = config.referral_description or description
        coupon = config.referral_coupon_code or coupon
    return told | {
        "type": config.reward_type,
        "title": config.title,
        "description": description,
        "imageUrl": config.image_url,
        "couponCode": coupon,
        "conversionsRequired": config.conversions_required,
        "limit": _limit(config),
        "metadata": config.metadata,
    }


def _limit(config: RewardConfig) -> int:
    return -1 if config.is_unlimited else config.limit


def _campaign(campaign: Campaign, configs: Sequence[RewardConfig]) -> Json:
    return {
        "id": campaign.campaign_id,
        "name": campaign.name,
        "type": campaign.program_type,
        "currencyISO": campaign.currency_iso,
        "rewards": [_offered(config) for config in configs if config.deleted_at is None],
    }


def _offered(config: RewardConfig) -> Json:
    return {
        "id": config.reward_id,
        "type": config.reward_type,
        "title": config.title,
        "description": config.description,
        "referralDescription": config.referral_description,
        "imageUrl": config.image_url,
        "isUnlimited": config.is_unlimited,
        "limit": _limit(config),
        "limitDuration": config.limit_duration,
        "conversionsRequired": config.conversions_required,
        "numberOfWinners": config.number_of_winners,
        "order": config.order,
        "couponCode": config.coupon_code,
        "referralCouponCode": config.referral_coupon_code,
        "nextMilestonePrefix": config.next_milestone_prefix,
        "nextMilestoneSuffix": config.next_milestone_suffix,
        "isActive": config.is_offered,
        "isVisible": config.is_visible,
        "metadata": config.metadata,
    }
