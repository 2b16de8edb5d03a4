"""GET /v1/campaigns/{slug}/wins: the prizes that a campaign's players have won."""

from grapevine.engine.mechanics.reading import campaign_wins_page
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.prizes import ListWins, Wins


@gamifyhost.endpoint(
    "GET /v1/campaigns/{slug}/wins",
    scope="gamification:read",
    query=ListWins,
    response=Wins,
    refusals=(404,),
)
def handler(request: Request[Nothing, ListWins]) -> Wins:
    query = request.query
    page = campaign_wins_page(
        request.campaign, query.tier, query.first_at, query.last_at, query.cursor, query.limit
    )
    return Wins.of(page)
