"""GET /v1/campaigns/codes/stats: what has become of the codes of a campaign."""

from grapevine.engine.access import campaign_called
from grapevine.engine.mechanics.code_stats import stats
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.codes import ShownCodeStats, StatsQuery


@gamifyhost.endpoint(
    "GET /v1/campaigns/codes/stats",
    scope="gamification:read",
    query=StatsQuery,
    response=ShownCodeStats,
    refusals=(404,),
)
def handler(request: Request[Nothing, StatsQuery]) -> ShownCodeStats:
    return ShownCodeStats.of(stats(campaign_called(request.caller, request.query.slug)))
