"""POST /v2/campaign/{id}/participant: adds a participant, or answers the one with the e-mail."""

from grapevine.engine.participants.add import add
from grapevine.engine.participants.describe import describe
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import AddParticipant, Participant


@endpoint(
    "POST /v2/campaign/{id}/participant",
    scope="participant:write",
    body=AddParticipant,
    response=Participant,
    refusals=(422,),
)
def handler(request: Request[AddParticipant, Nothing]) -> Participant:
    added = add(request.campaign, request.body.to_engine())
    [shown] = describe(request.campaign, [added.participant])
    return Participant.of(shown, is_new=added.is_new)
