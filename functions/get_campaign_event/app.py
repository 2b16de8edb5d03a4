"""GET /v1/campaigns/{slug}/events/{eventId}: one event of a player, and what came of it."""

from grapevine.engine.mechanics.reading import event_of
from grapevine.http.endpoint import Nothing, Request, Response
from grapevine.http.gamifyhost import GamifyHost, exact_answer
from grapevine.http.models.prizes import ReadEvent, RecordedEvent


@GamifyHost("Campaign or event not found").endpoint(
    "GET /v1/campaigns/{slug}/events/{eventId}",
    scope="gamification:read",
    query=ReadEvent,
    response=RecordedEvent,
    refusals=(404,),
)
def handler(request: Request[Nothing, ReadEvent]) -> Response:
    told = event_of(request.campaign, request.query.user_id, request.path["eventId"])
    return exact_answer(RecordedEvent.of(told).model_dump(by_alias=True))
