"""GET /v2/campaign/{id}/participants: a page of participants, newest first."""

from grapevine.engine.participants.describe import describe
from grapevine.engine.participants.listing import newest_first
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import ListParticipants, Participant, ParticipantList


@endpoint(
    "GET /v2/campaign/{id}/participants",
    scope="participant:read",
    query=ListParticipants,
    response=ParticipantList,
)
def handler(request: Request[Nothing, ListParticipants]) -> ParticipantList:
    page = newest_first(request.campaign, request.query.limit, request.query.next_id)
    shown = describe(request.campaign, page.participants)
    return ParticipantList(
        participants=[Participant.of(one) for one in shown],
        limit=request.query.limit,
        next_id=page.next_id,
    )
