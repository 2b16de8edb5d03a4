"""DELETE /v1/campaigns/{slug}/participants/{userId}/link: a player is no participant any more."""

from grapevine.engine.mechanics.linking import unlink
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.gamifyhost import gamifyhost
from grapevine.http.models.event_fields import user_id_in
from grapevine.http.models.links import LinkedPlayer


@gamifyhost.endpoint(
    "DELETE /v1/campaigns/{slug}/participants/{userId}/link",
    scope="gamification:write",
    response=LinkedPlayer,
    refusals=(404,),
)
def handler(request: Request[Nothing, Nothing]) -> LinkedPlayer:
    user_id = user_id_in(request.path)
    unlink(request.campaign, user_id)
    return LinkedPlayer(user_id=user_id, participant_id=None)
