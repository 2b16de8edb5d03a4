"""GET /v2/campaign/{id}/webhooks/{webhookId}/deliveries: a page of the delivery log."""

from grapevine.engine.webhooks import log
from grapevine.http.endpoint import Nothing, Request
from grapevine.http.growsurf import endpoint
from grapevine.http.models.webhooks import DeliveryList, ListDeliveries


@endpoint(
    "GET /v2/campaign/{id}/webhooks/{webhookId}/deliveries",
    scope="program:read",
    query=ListDeliveries,
    response=DeliveryList,
)
def handler(request: Request[Nothing, ListDeliveries]) -> DeliveryList:
    query = request.query
    found = log.page(request.campaign, request.path["webhookId"], query.limit, query.next_id)
    return DeliveryList.of(found, query.limit)
