"""POST /v2/campaign/{id}/webhooks/{webhookId}/deliveries/{deliveryId}/resend: sends again."""

from grapevine.engine.webhooks import log
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import Resent


@endpoint(
    "POST /v2/campaign/{id}/webhooks/{webhookId}/deliveries/{deliveryId}/resend",
    scope="program:write",
    response=Resent,
)
def handler(request: Request[Nothing, Nothing]) -> Resent:
    path = request.path
    log.resend(request.campaign, path["webhookId"], path["deliveryId"])
    return Resent(success=True)
