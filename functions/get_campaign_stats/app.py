"""GET /v1/campaigns/{slug}/stats: how many play, and how many prizes they have won."""

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.prizes import figures_of
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.prizes import CampaignStats


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/stats",
    scope="gamification:read",
    response=CampaignStats,
    refusals=(404,),
)
def handler(request: Request[Nothing, Nothing]) -> CampaignStats:
    return CampaignStats.of(figures_of(played(request.campaign)))
