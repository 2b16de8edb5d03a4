"""GET /v2/campaign/{id}/participant/{participant}/rewards: a page of earned rewards."""

from grapevine.engine.rewards.listing import page
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.rewards import ListRewards, ParticipantRewardList


@endpoint(
    "GET /v2/campaign/{id}/participant/{participant}/rewards",
    scope="reward:read",
    query=ListRewards,
    response=ParticipantRewardList,
)
def handler(request: Request[Nothing, ListRewards]) -> ParticipantRewardList:
    query = request.query
    found = page(request.campaign, request.located.load(), query.limit, query.next_id)
    return ParticipantRewardList.of(found, query.limit)
