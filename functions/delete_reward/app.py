"""DELETE /v2/campaign/{id}/reward/{rewardId}: drops an earned reward that is not approved."""

from grapevine.engine.rewards import states
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import RewardChanged


@endpoint(
    "DELETE /v2/campaign/{id}/reward/{rewardId}",
    scope="reward:delete",
    response=RewardChanged,
    refusals=(406,),
)
def handler(request: Request[Nothing, Nothing]) -> RewardChanged:
    states.remove(request.campaign, request.path["rewardId"])
    return RewardChanged(success=True)
