"""GET /v2/campaign/{id}/leaderboard/{month}: a page of the best of a month that is over."""

from grapevine.engine.month_end.snapshot import page
from grapevine.engine.participants.describe import describe
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.months import MonthLeaderboard, ReadMonth


@endpoint(
    "GET /v2/campaign/{id}/leaderboard/{month}",
    scope="participant:read",
    query=ReadMonth,
    response=MonthLeaderboard,
)
def handler(request: Request[Nothing, ReadMonth]) -> MonthLeaderboard:
    query, month = request.query, request.path["month"]
    found = page(request.campaign, month, query.limit, query.next_id)
    shown = describe(request.campaign, [place.participant for place in found.places])
    return MonthLeaderboard.of(found, shown, month=month, limit=query.limit)
