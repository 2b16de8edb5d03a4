"""GET /v2/campaign/{id}/participants: a page of participants, newest first or by metadata."""

from grapevine.engine.participants.describe import describe
from grapevine.engine.participants.listing import page
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import ListParticipants, ParticipantList


@endpoint(
    "GET /v2/campaign/{id}/participants",
    scope="participant:read",
    query=ListParticipants,
    response=ParticipantList,
)
def handler(request: Request[Nothing, ListParticipants]) -> ParticipantList:
    query = request.query
    found = page(request.campaign, query.metadata, query.limit, query.next_id)
    shown = describe(request.campaign, found.participants)
    return ParticipantList.of(shown, limit=query.limit, next_id=found.next_id)
