"""GET /v1/campaigns/{slug}/participants/{userId}: what a player has, and the rank."""

from grapevine.engine.mechanics.standing import described
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import exact_answer, of_players
from grapevine.http.models.players import PlayerState, ReadPlayer


@of_players.endpoint(
    "GET /v1/campaigns/{slug}/participants/{userId}",
    scope="gamification:read",
    query=ReadPlayer,
    response=PlayerState,
    refusals=(404,),
)
def handler(request: Request[Nothing, ReadPlayer]) -> Response:
    with_progress = request.query.with_progress
    found = described(request.campaign, request.path["userId"], with_progress=with_progress)
    return exact_answer(PlayerState.of(found).model_dump(by_alias=True, exclude_unset=True))
