"""POST /v1/campaigns/{slug}/events/preview: what an event would earn, were it recorded now."""

from grapevine.engine.mechanics.campaign import played
from grapevine.engine.mechanics.previewing import preview
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import of_events
from grapevine.http.models.previews import EventPreview, PreviewEvent


@of_events.endpoint(
    "POST /v1/campaigns/{slug}/events/preview",
    scope="gamification:read",
    body=PreviewEvent,
    response=EventPreview,
    refusals=(404, 409),
)
def handler(request: Request[PreviewEvent, Nothing]) -> EventPreview:
    sent = request.body
    found = preview(
        played(request.campaign, may_be_remembered=True),
        sent.user_id,
        sent.event_type,
        sent.metadata,
    )
    return EventPreview.of(found)
