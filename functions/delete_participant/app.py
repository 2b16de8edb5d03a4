"""DELETE /v2/campaign/{id}/participant/{participant}: removes a participant for good."""

from grapevine.engine.participants.delete import delete
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import Deleted


@endpoint(
    "DELETE /v2/campaign/{id}/participant/{participant}",
    scope="participant:delete",
    response=Deleted,
)
def handler(request: Request[Nothing, Nothing]) -> Deleted:
    delete(request.campaign, request.located)
    return Deleted(success=True)
