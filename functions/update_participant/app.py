"""POST /v2/campaign/{id}/participant/{participant}: changes what is sent."""

from grapevine.engine.participants.describe import describe
from grapevine.engine.participants.update import update
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import Participant, UpdateParticipant


@endpoint(
    "POST /v2/campaign/{id}/participant/{participant}",
    scope="participant:write",
    body=UpdateParticipant,
    response=Participant,
    refusals=(422,),
)
def handler(request: Request[UpdateParticipant, Nothing]) -> Participant:
    updated = update(request.campaign, request.located, request.body.to_engine())
    [shown] = describe(request.campaign, [updated])
    return Participant.of(shown)
