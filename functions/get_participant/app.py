"""GET /v2/campaign/{id}/participant/{participant}: one participant, by id or e-mail."""

from grapevine.engine.participants.describe import describe
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import Participant


@endpoint(
    "GET /v2/campaign/{id}/participant/{participant}",
    scope="participant:read",
    response=Participant,
)
def handler(request: Request[Nothing, Nothing]) -> Participant:
    [shown] = describe(request.campaign, [request.located.load()])
    return Participant.of(shown)
