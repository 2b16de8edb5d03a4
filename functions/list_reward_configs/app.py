"""GET /v2/campaign/{id}/reward-configs: all rewards of the campaign, disabled ones included."""

from grapevine.engine.rewards import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import Reward, RewardList


@endpoint("GET /v2/campaign/{id}/reward-configs", scope="program:read", response=RewardList)
def handler(request: Request[Nothing, Nothing]) -> RewardList:
    return RewardList(rewards=[Reward.of(one) for one in configs.listed(request.campaign)])
