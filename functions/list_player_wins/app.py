"""GET /v1/campaigns/{slug}/participants/{userId}/wins: the prizes that a player has won."""

from grapevine.engine.mechanics.reading import player_of, wins_page
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import of_players
from grapevine.http.models.prizes import ListPlayerWins, Wins


@of_players.endpoint(
    "GET /v1/campaigns/{slug}/participants/{userId}/wins",
    scope="gamification:read",
    query=ListPlayerWins,
    response=Wins,
    refusals=(404,),
)
def handler(request: Request[Nothing, ListPlayerWins]) -> Wins:
    query, campaign = request.query, request.campaign
    player = player_of(campaign, request.path["userId"])
    return Wins.of(wins_page(campaign, player, query.cursor, query.limit))
