"""GET /v2/campaign/{id}/leaderboard: a page of participants in the order of one of the boards."""

from grapevine.engine.leaderboards import page
from grapevine.engine.participants.describe import describe
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.leaderboards import ReadLeaderboard
from grapevine.http.models.participants import ParticipantList


@endpoint(
    "GET /v2/campaign/{id}/leaderboard",
    scope="participant:read",
    query=ReadLeaderboard,
    response=ParticipantList,
    refusals=(422,),
)
def handler(request: Request[Nothing, ReadLeaderboard]) -> ParticipantList:
    query = request.query
    found = page(request.campaign, query.board, query.limit, query.next_id)
    shown = describe(request.campaign, found.participants)
    return ParticipantList.of(shown, limit=query.limit, next_id=found.next_id)
