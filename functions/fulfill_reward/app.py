"""POST /v2/campaign/{id}/reward/{rewardId}/fulfill: marks an approved reward as handed out."""

from grapevine.engine.rewards import states
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import RewardChanged


@endpoint(
    "POST /v2/campaign/{id}/reward/{rewardId}/fulfill",
    scope="reward:fulfill",
    response=RewardChanged,
    refusals=(406,),
)
def handler(request: Request[Nothing, Nothing]) -> RewardChanged:
    states.fulfill(request.campaign, request.path["rewardId"])
    return RewardChanged(success=True)
