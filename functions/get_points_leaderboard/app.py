"""GET /v1/campaigns/{slug}/leaderboard: the players with the most points, and one's neighbours."""

from grapevine.engine.mechanics.board import board
from grapevine.engine.mechanics.campaign import played
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.players import PointsLeaderboard, ReadPointsLeaderboard


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/leaderboard",
    scope="gamification:read",
    query=ReadPointsLeaderboard,
    response=PointsLeaderboard,
    refusals=(404,),
)
def handler(request: Request[Nothing, ReadPointsLeaderboard]) -> PointsLeaderboard:
    query = request.query
    found = board(played(request.campaign), query.limit, query.user_id)
    return PointsLeaderboard.of(found, query.user_id)
