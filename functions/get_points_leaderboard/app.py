"""GET /v1/campaigns/{slug}/leaderboard: the players with the most points, and one's neighbours."""

from grapevine.engine.mechanics.board import board
from grapevine.engine.mechanics.campaign import played
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.players import Leaderboard, ReadLeaderboard


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/leaderboard",
    scope="gamification:read",
    query=ReadLeaderboard,
    response=Leaderboard,
    refusals=(404,),
)
def handler(request: Request[Nothing, ReadLeaderboard]) -> Leaderboard:
    query = request.query
    found = board(played(request.campaign), query.limit, query.user_id)
    return Leaderboard.of(found, query.user_id)
