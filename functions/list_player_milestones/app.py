"""GET /v1/campaigns/{slug}/participants/{userId}/milestones: how far a player is with each."""

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.reading import player_of
from grapevine.engine.mechanics.standing import milestones_of
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import exact_answer, of_players
from grapevine.http.models.players import MilestoneStanding, MilestoneStandings


@of_players.endpoint(
    "GET /v1/campaigns/{slug}/participants/{userId}/milestones",
    scope="gamification:read",
    response=MilestoneStandings,
    refusals=(404,),
)
def handler(request: Request[Nothing, Nothing]) -> Response:
    player = player_of(request.campaign, request.path["userId"])
    standings = milestones_of(played(request.campaign), player)
    shown = MilestoneStandings(milestones=[MilestoneStanding.of(each) for each in standings])
    return exact_answer(shown.model_dump(by_alias=True, exclude_unset=True))
