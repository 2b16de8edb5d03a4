"""POST /v1/campaigns/{slug}/events: records what a user did, and what it earns."""

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.recording import Incoming, record
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import event_body, of_events
from grapevine.http.idempotency import as_kept
from grapevine.http.models.gamifyhost import EventResult, RecordEvent


@of_events.endpoint(
    "POST /v1/campaigns/{slug}/events",
    scope="event:write",
    body=RecordEvent,
    response=EventResult,
    refusals=(404, 409, 422),
)
def handler(request: Request[RecordEvent, Nothing]) -> Response:
    sent = request.body
    incoming = Incoming(
        user_id=sent.user_id,
        event_type=sent.event_type,
        metadata=sent.metadata,
        trust="server",
        source="gamifyhost",
        key=request.repetition_key,
    )
    recorded = record(played(request.campaign, may_be_remembered=True), incoming, event_body)
    return as_kept(recorded.body, is_replay=recorded.is_replay)
