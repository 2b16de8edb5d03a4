"""POST /v1/campaigns/{slug}/events/{eventId}/reverse: takes back what an event has earned."""

from grapevine.engine.mechanics.reversing import reverse
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import GamifyHost, body_of
from grapevine.http.idempotency import as_kept
from grapevine.http.models.codes import ReversedEvent, ReverseEvent


@GamifyHost("Campaign or event not found").endpoint(
    "POST /v1/campaigns/{slug}/events/{eventId}/reverse",
    scope="gamification:write",
    body=ReverseEvent,
    response=ReversedEvent,
    refusals=(404,),
)
def handler(request: Request[ReverseEvent, Nothing]) -> Response:
    event_id = request.path["eventId"]
    found = reverse(request.campaign, request.body.user_id, event_id, request.caller.key_id)
    return as_kept(body_of(ReversedEvent.of(found)), is_replay=found.is_replay)
