"""POST /v2/campaign/{id}/reward/{rewardId}/approve: approves an earned reward."""

from grapevine.engine.rewards import states
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import ApproveReward, RewardChanged


@endpoint(
    "POST /v2/campaign/{id}/reward/{rewardId}/approve",
    scope="reward:write",
    body=ApproveReward,
    response=RewardChanged,
    refusals=(406,),
)
def handler(request: Request[ApproveReward, Nothing]) -> RewardChanged:
    fulfill = request.body.fulfill
    states.approve(request.caller, request.campaign, request.path["rewardId"], fulfill=fulfill)
    return RewardChanged(success=True)
