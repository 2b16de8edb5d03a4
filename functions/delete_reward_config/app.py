"""DELETE /v2/campaign/{id}/reward-configs/{rewardId}: takes a reward off the campaign."""

from grapevine.engine.rewards import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import DeletedReward


@endpoint(
    "DELETE /v2/campaign/{id}/reward-configs/{rewardId}",
    scope="program:write",
    response=DeletedReward,
)
def handler(request: Request[Nothing, Nothing]) -> DeletedReward:
    configs.delete(request.campaign, request.path["rewardId"])
    return DeletedReward(id=request.path["rewardId"], success=True)
