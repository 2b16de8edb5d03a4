"""GET /v1/campaigns/{slug}/mechanics: what events earn, and the odds, as anybody may know them."""

from grapevine.engine.mechanics.campaign import played
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import exact_answer, gamifyhost
from grapevine.http.models.mechanics import Mechanics, shown_mechanics


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/mechanics",
    scope="gamification:read",
    response=Mechanics,
    refusals=(404,),
)
def handler(request: Request[Nothing, Nothing]) -> Response:
    return exact_answer(shown_mechanics(played(request.campaign)))
