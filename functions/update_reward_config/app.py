"""PATCH /v2/campaign/{id}/reward-configs/{rewardId}: changes a reward of the campaign."""

from grapevine.engine.rewards import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import Reward, UpdateReward


@endpoint(
    "PATCH /v2/campaign/{id}/reward-configs/{rewardId}",
    scope="program:write",
    body=UpdateReward,
    response=Reward,
)
def handler(request: Request[UpdateReward, Nothing]) -> Reward:
    changed = configs.update(request.campaign, request.path["rewardId"], request.body.fields())
    return Reward.of(changed)
