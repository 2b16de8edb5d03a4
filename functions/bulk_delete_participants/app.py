"""POST /v2/campaign/{id}/participants/bulk-delete: removes up to 200 participants."""

from grapevine.engine.participants.delete import delete_many
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.participants import BulkDeleted, BulkDeleteParticipants


@endpoint(
    "POST /v2/campaign/{id}/participants/bulk-delete",
    scope="participant:delete",
    body=BulkDeleteParticipants,
    response=BulkDeleted,
)
def handler(request: Request[BulkDeleteParticipants, Nothing]) -> BulkDeleted:
    return BulkDeleted.of(delete_many(request.campaign, request.body.participants))
