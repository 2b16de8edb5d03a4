"""GET /v1/campaigns/{slug}/prizes: what can be won, and how many of it have been."""

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.prizes import prizes_of
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.prizes import PrizeEntry, Prizes


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/prizes",
    scope="gamification:read",
    response=Prizes,
    refusals=(404,),
)
def handler(request: Request[Nothing, Nothing]) -> Prizes:
    found = prizes_of(played(request.campaign))
    return Prizes(prizes=[PrizeEntry.of(each) for each in found])
