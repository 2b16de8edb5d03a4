"""POST /v2/campaign/{id}/webhooks/{webhookId}/test: sends a simulated event at once."""

from grapevine.engine.webhooks.probe import probe
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import ProbedWebhook, ProbeWebhook


@endpoint(
    "POST /v2/campaign/{id}/webhooks/{webhookId}/test",
    scope="program:write",
    body=ProbeWebhook,
    response=ProbedWebhook,
)
def handler(request: Request[ProbeWebhook, Nothing]) -> ProbedWebhook:
    probed = probe(request.campaign, request.path["webhookId"], request.body.event)
    return ProbedWebhook.of(probed)
