"""DELETE /v2/campaign/{id}/webhooks/{webhookId}: removes a webhook."""

from grapevine.engine.webhooks import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import DeletedWebhook


@endpoint(
    "DELETE /v2/campaign/{id}/webhooks/{webhookId}",
    scope="program:write",
    response=DeletedWebhook,
)
def handler(request: Request[Nothing, Nothing]) -> DeletedWebhook:
    configs.delete(request.campaign, request.path["webhookId"])
    return DeletedWebhook(id=request.path["webhookId"], success=True)
