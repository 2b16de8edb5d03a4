"""PATCH /v2/campaign/{id}/webhooks/{webhookId}: changes a webhook."""

from grapevine.engine.webhooks import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import UpdateWebhook, Webhook


@endpoint(
    "PATCH /v2/campaign/{id}/webhooks/{webhookId}",
    scope="program:write",
    body=UpdateWebhook,
    response=Webhook,
)
def handler(request: Request[UpdateWebhook, Nothing]) -> Webhook:
    webhook_id = request.path["webhookId"]
    return Webhook.of(configs.update(request.campaign, webhook_id, request.body.to_engine()))
