"""POST /v2/campaign/{id}/webhooks: adds a webhook to the campaign."""

from grapevine.engine.webhooks import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import CreateWebhook, Webhook


@endpoint(
    "POST /v2/campaign/{id}/webhooks",
    scope="program:write",
    body=CreateWebhook,
    response=Webhook,
)
def handler(request: Request[CreateWebhook, Nothing]) -> Webhook:
    return Webhook.of(configs.create(request.campaign, request.body.to_engine()))
