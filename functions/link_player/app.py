"""PUT /v1/campaigns/{slug}/participants/{userId}/link: says which participant a player is."""

from grapevine.engine.mechanics.linking import link
from grapevine.engine.participants.lookup import locate
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.event_fields import user_id_in
from grapevine.http.models.links import LinkedPlayer, LinkPlayer


@gamifyhost.endpoint(
    "PUT /v1/campaigns/{slug}/participants/{userId}/link",
    scope="gamification:write",
    body=LinkPlayer,
    response=LinkedPlayer,
    refusals=(404, 409),
)
def handler(request: Request[LinkPlayer, Nothing]) -> LinkedPlayer:
    user_id = user_id_in(request.path)
    located = locate(request.campaign.campaign_id, request.body.named)
    return LinkedPlayer.of(link(request.campaign, user_id, located))
