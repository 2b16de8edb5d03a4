"""POST /v2/campaign/{id}/reward-configs: adds a reward to the campaign."""

from grapevine.engine.rewards import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import CreateReward, Reward


@endpoint(
    "POST /v2/campaign/{id}/reward-configs",
    scope="program:write",
    body=CreateReward,
    response=Reward,
)
def handler(request: Request[CreateReward, Nothing]) -> Reward:
    return Reward.of(configs.create(request.campaign, request.body.fields()))
