"""GET /v1/campaigns/{slug}/participants/{userId}: what a player has, and the rank."""

from grapevine.engine.mechanics.board import rank_of
from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.reading import player_of
from grapevine.engine.mechanics.standing import milestones_of
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import exact_answer, of_players
from grapevine.http.models.players import Participant, ReadPlayer


@of_players.endpoint(
    "GET /v1/campaigns/{slug}/participants/{userId}",
    scope="gamification:read",
    query=ReadPlayer,
    response=Participant,
    refusals=(404,),
)
def handler(request: Request[Nothing, ReadPlayer]) -> Response:
    player = player_of(request.campaign, request.path["userId"])
    game = played(request.campaign)
    standings = milestones_of(game, player) if request.query.expand else None
    shown = Participant.of(player, rank_of(game, player), standings)
    return exact_answer(shown.model_dump(by_alias=True, exclude_unset=True))
