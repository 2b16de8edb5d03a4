"""GET /v1/campaigns/{slug}/leaderboard: the best of all time, or of a day, week or month."""

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
    found = board(played(request.campaign), query.limit, query.user_id, query.of_period)
    return PointsLeaderboard.of(found, query.user_id)
