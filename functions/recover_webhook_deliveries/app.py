"""POST /v2/campaign/{id}/webhooks/{webhookId}/recover: sends all undelivered events again."""

from grapevine.engine.webhooks import log
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import RecoverDeliveries, RecoveredDeliveries


@endpoint(
    "POST /v2/campaign/{id}/webhooks/{webhookId}/recover",
    scope="program:write",
    body=RecoverDeliveries,
    response=RecoveredDeliveries,
)
def handler(request: Request[RecoverDeliveries, Nothing]) -> RecoveredDeliveries:
    since, next_id = request.body.since, request.body.next_id
    recovered = log.recover(request.campaign, request.path["webhookId"], since, next_id)
    return RecoveredDeliveries.of(recovered)
