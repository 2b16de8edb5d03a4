"""Pages of the rewards that a participant has earned, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from grapevine.engine.participants.lookup import Participant
from grapevine.table import rewards
from grapevine.table.campaigns import Campaign
from grapevine.table.rewards import EarnedReward


@dataclass(frozen=True, slots=True)
class RewardPage:
    """`next_id` is the first reward of the next page, None on the last one."""

    rewards: list[EarnedReward]
    next_id: str | None


def page(
    campaign: Campaign, participant: Participant, limit: int, next_id: str | None
) -> RewardPage:
    """The page that begins with `next_id`, or the first one. A cursor of a reward that has been
    removed goes on with the next older one; one that is not this participant's gives an empty page.
    Rewards of a campaign reward that is hidden now are left out, so a page may be shorter."""
    campaign_id, participant_id = campaign.campaign_id, participant.participant_id
    number = None
    if next_id is not None:
        number = rewards.number_of_earned(participant_id, next_id)
        if number is None:
            return RewardPage([], None)
    found = rewards.earned_by(campaign_id, participant_id, limit + 1, from_number=number)
    offered = {one.reward_id for one in rewards.configs_of(campaign_id) if one.is_offered}
    following = found[limit].earned_id if len(found) > limit else None
    return RewardPage([one for one in found[:limit] if one.reward_id in offered], following)
