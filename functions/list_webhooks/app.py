"""GET /v2/campaign/{id}/webhooks: the campaign's webhooks."""

from grapevine.engine.webhooks import configs
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import Webhook, WebhookList


@endpoint(
    "GET /v2/campaign/{id}/webhooks",
    scope="program:read",
    response=WebhookList,
)
def handler(request: Request[Nothing, Nothing]) -> WebhookList:
    return WebhookList(webhooks=[Webhook.of(one) for one in configs.listed(request.campaign)])
